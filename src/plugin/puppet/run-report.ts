/** The truth of a Puppet run is its own summary and report, not its output. Both count only when they are of this run. */
import type { PuppetHost, PuppetSettings } from '../ports.ts';
import type { ReportedResources } from './reported-resources.ts';
import { type RunReport, type RunSummary, readRunReport, readRunSummary } from './run-files.ts';

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
  const summary = await readRunSummary(host, settings);
  // last_run has whole seconds.
  if (summary === undefined || summary.lastRun < Math.floor(startedAt / 1000)) return null;
  return runFacts(settings, summary, await readRunReport(host, settings), run);
};

/** What summary and report of one run say. */
export const runFacts = (
  settings: PuppetSettings,
  summary: RunSummary,
  report: RunReport | undefined,
  run: { readonly noop: boolean; readonly jobId: string | null },
): PuppetRunFacts => ({
  ...summary.counts,
  noop: run.noop,
  report: identifier(report?.head['transaction_uuid']),
  status: identifier(report?.head['status']),
  report_file: report === undefined ? null : settings.lastRunReport,
  ...(report?.resources ?? { changed_resources: [], failed_resources: [] }),
  error: report?.error ?? null,
  job_id: run.jobId,
});

const identifier = (text: string | undefined): string | null =>
  /^[\w-]{1,64}$/.test(text ?? '') ? (text ?? null) : null;
