/**
 * The truth of a Puppet run is its own summary and report, not its output: `last_run_summary.yaml` for the counts,
 * `last_run_report.yaml` for the ids and the resources. Both are looked at only when they are of this run.
 */
import { parse as parseYaml } from 'yaml';
import type { PuppetHost, PuppetSettings } from '../ports.ts';
import { createErrorCollector } from './reported-error.ts';
import { createResourceCollector, type ReportedResources } from './reported-resources.ts';

/** What goes into an outcome's `details.puppet`. Null: not known. */
export interface PuppetRunFacts extends ReportedResources {
  readonly changed: number | null;
  readonly failed: number | null;
  readonly failed_to_restart: number | null;
  readonly total: number | null;
  readonly duration_s: number | null;
  readonly config_version: string | null;
  readonly noop: boolean;
  /** The report's transaction id: what PuppetDB calls `transaction_uuid`. */
  readonly report: string | null;
  readonly status: string | null;
  readonly job_id: string | null;
  /** The first error that Puppet logged, 300 characters at most. */
  readonly error: string | null;
  /** The report's file on the node, until its next run overwrites it; null when there was none. */
  readonly report_file: string | null;
}

/** Reads what a run that started at `startedAt` (ms) left behind; null when it left nothing (it never applied a catalogue). */
export const readRunFacts = async (
  host: PuppetHost,
  settings: PuppetSettings,
  startedAt: number,
  run: { readonly noop: boolean; readonly jobId: string | null },
): Promise<PuppetRunFacts | null> => {
  const text = await host.readFile(settings.lastRunFile);
  const summary = text === undefined ? undefined : readSummary(text);
  // last_run has whole seconds.
  if (summary === undefined || summary.lastRun < Math.floor(startedAt / 1000)) return null;
  const report = await readReport(host, settings.lastRunReport);
  return { ...summary.counts, noop: run.noop, ...report, job_id: run.jobId };
};

const readSummary = (text: string) => {
  const summary = section(safeYaml(text));
  const resources = section(summary['resources']);
  const time = section(summary['time']);
  const lastRun = count(time['last_run']);
  if (lastRun === null) return undefined;
  const counts = {
    changed: count(resources['changed']),
    failed: count(resources['failed']),
    failed_to_restart: count(resources['failed_to_restart']),
    total: count(resources['total']),
    duration_s: count(time['total']),
    config_version: scalar(section(summary['version'])['config']),
  };
  return { lastRun, counts };
};

/** The report may hold megabytes, so it is read line by line: its own fields are the lines that start in the first column. */
const readReport = async (host: PuppetHost, path: string) => {
  const ids = { report: null as string | null, status: null as string | null, report_file: null as string | null };
  const resources = createResourceCollector();
  const errors = createErrorCollector();
  for await (const line of host.readLines(path)) {
    ids.report_file = path;
    resources.add(line);
    errors.add(line);
    const [, key, value] = /^(transaction_uuid|status): ["']?([\w-]+)["']?$/.exec(line) ?? [];
    if (key === 'transaction_uuid') ids.report = value ?? null;
    if (key === 'status') ids.status = value ?? null;
  }
  return { ...ids, ...resources.end(), error: errors.end() };
};

const safeYaml = (text: string): unknown => {
  try {
    return parseYaml(text, { maxAliasCount: 10 });
  } catch {
    return undefined; // half-written or of another kind: the same as none
  }
};

const section = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
const count = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);
const scalar = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : null;
