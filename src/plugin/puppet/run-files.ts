/**
 * What a Puppet run leaves on its node: `last_run_summary.yaml` with the counts, `last_run_report.yaml` with the ids and the
 * resources. Their folders may belong to somebody else, so only files of those whose word counts are read, each once.
 */
import type { FileState, PuppetHost, PuppetSettings } from '../ports.ts';
import { fieldsOf, type PsychValue, readPsych } from './psych.ts';
import { createErrorCollector } from './reported-error.ts';
import { createMetricCollector, type ReportedCounts } from './reported-metrics.ts';
import { createPendingCounter, createResourceCollector, type ReportedResources } from './reported-resources.ts';

export interface RunSummary {
  /** Seconds since the epoch. */
  readonly lastRun: number;
  readonly counts: Omit<ReportedCounts, 'skipped'> & { readonly config_version: string | null };
  readonly skipped: number | null;
  readonly runMode: string | null;
  readonly environment: string | null;
}

/** Undefined when there is none: not there, a stranger's, half-written, of a Puppet that does not say when it was. */
export const readRunSummary = async (host: PuppetHost, settings: PuppetSettings): Promise<RunSummary | undefined> => {
  const file = await host.readSummary(settings.lastRunFile, settings.owners);
  return file.kind === 'read' ? summaryIn(file.text) : undefined;
};

const summaryIn = (text: string): RunSummary | undefined => {
  const summary = fieldsOf(readPsych(text.split('\n')));
  const resources = fieldsOf(summary['resources']);
  const time = fieldsOf(summary['time']);
  const application = fieldsOf(summary['application']);
  const lastRun = count(time['last_run']);
  if (lastRun === null) return undefined;
  const counts = {
    changed: count(resources['changed']),
    failed: count(resources['failed']),
    failed_to_restart: count(resources['failed_to_restart']),
    total: count(resources['total']),
    duration_s: count(time['total']),
    config_version: scalar(fieldsOf(summary['version'])['config']),
  };
  return {
    lastRun,
    counts,
    skipped: count(resources['skipped']),
    runMode: scalar(application['run_mode']),
    environment: scalar(application['initial_environment']),
  };
};

export interface RunReport {
  /** Fields of the report itself: lines that start in the first column. */
  readonly head: Readonly<Record<string, string | undefined>>;
  readonly resources: ReportedResources;
  readonly counts: ReportedCounts;
  /** Resources that would have been changed, had they not been in noop. */
  readonly pending: number;
  /** The first error that Puppet logged. */
  readonly error: string | null;
}

/** The report's own fields that mean something to us. */
const headFields = new Set([
  'host',
  'time',
  'transaction_uuid',
  'status',
  'transaction_completed',
  'configuration_version',
  'noop',
  'environment',
  'job_id',
  'cached_catalog_status',
]);

/** What came of reading a report. */
export type ReadReport =
  | { readonly kind: 'read'; readonly report: RunReport }
  | Exclude<FileState, { readonly kind: 'read' }>;

/** Reads a report line by line: it may have megabytes. */
export const readReportAt = async (host: PuppetHost, path: string, owners: readonly number[]): Promise<ReadReport> => {
  const head: Record<string, string> = {};
  const resources = createResourceCollector();
  const errors = createErrorCollector();
  const metrics = createMetricCollector();
  const pending = createPendingCounter();
  const state = await host.readReport(path, owners, (line) => {
    resources.add(line);
    errors.add(line);
    metrics.add(line);
    pending.add(line);
    const [, key = '', value = ''] = /^([a-z_]+): (\S.*)$/.exec(line) ?? [];
    if (headFields.has(key)) head[key] = value.replace(/^(['"])(.*)\1$/, '$2');
  });
  if (state.kind !== 'read') return state;
  const report = {
    head,
    resources: resources.end(),
    counts: metrics.end(),
    pending: pending.end(),
    error: errors.end(),
  };
  return { kind: 'read', report };
};

/** The report at its standard path; undefined if there is none. */
export const readRunReport = async (host: PuppetHost, settings: PuppetSettings): Promise<RunReport | undefined> => {
  const read = await readReportAt(host, settings.lastRunReport, settings.owners);
  return read.kind === 'read' ? read.report : undefined;
};

const count = (value: PsychValue | undefined): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
const scalar = (value: PsychValue | undefined): string | null =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : null;
