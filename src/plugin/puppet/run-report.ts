/**
 * The truth of a Puppet run is its own report, not its output and not what was asked for. A report counts only when it is
 * of this very run: others run Puppet on this node, too, and a run may leave no report at all.
 */
import type { PuppetHost, PuppetSettings } from '../ports.ts';
import type { ReportedCounts } from './reported-metrics.ts';
import type { ReportedResources } from './reported-resources.ts';
import { type ReadReport, type RunReport, readReportAt } from './run-files.ts';

/** What goes into an outcome's `details.puppet`. Null: not known. */
export interface PuppetRunFacts extends ReportedResources, ReportedCounts {
  /** Resources that would have been changed, had they not been in noop. */
  readonly pending: number;
  readonly config_version: string | null;
  /** Whether the run changed nothing because it was told so, by us or by puppet.conf. */
  readonly noop: boolean;
  readonly environment: string | null;
  /** Whether the catalogue came from the agent's cache. */
  readonly cached_catalog: boolean;
  /** Tags that the run was limited to, or left out; null: none. */
  readonly tags: string | null;
  readonly skip_tags: string | null;
  /** The report's transaction id: what PuppetDB calls `transaction_uuid`. */
  readonly report: string | null;
  readonly status: string | null;
  readonly job_id: string | null;
  /** The first error that Puppet logged, 300 characters at most. */
  readonly error: string | null;
  /** The report's file on the node, until its next run overwrites it; null when there was none. */
  readonly report_file: string | null;
}

/** What tells the report of a run from all others. */
export type Identity =
  /** No other process was told to write there. */
  | { readonly kind: 'own-file'; readonly path: string }
  /** An agent writes the id that it was given into its report. */
  | { readonly kind: 'job-id'; readonly jobId: string }
  /** The report's times lie within the run, and its status fits the exit code: the best evidence without a mark. */
  | { readonly kind: 'times'; readonly from: number; readonly to: number; readonly exitCode: number | null };

export type FoundFacts =
  | { readonly kind: 'found'; readonly facts: PuppetRunFacts }
  /** There is no report that is surely this run's. `missing` says why. */
  | { readonly kind: 'none'; readonly missing: string };

/** Reads what the run with this identity has left behind. */
export const readRunFacts = async (
  host: PuppetHost,
  settings: PuppetSettings,
  identity: Identity,
  limits: RunLimits,
): Promise<FoundFacts> => {
  const path = identity.kind === 'own-file' ? identity.path : settings.lastRunReport;
  const read = await readReportAt(host, path, settings.owners);
  if (read.kind !== 'read') return { kind: 'none', missing: whyUnread(read, path) };
  const why = whyAnothers(read.report, identity);
  if (why !== null) return { kind: 'none', missing: why };
  return { kind: 'found', facts: runFacts(settings, read.report, limits) };
};

const whyUnread = (read: Exclude<ReadReport, { readonly kind: 'read' }>, path: string): string => {
  if (read.kind === 'absent') return 'Puppet wrote no report of this run';
  return read.kind === 'forbidden' ? `${path} may not be read` : `${path} is not read: ${read.why}`;
};

/** Null: it is this run's. */
const whyAnothers = ({ head, counts }: RunReport, identity: Identity): string | null => {
  const anothers = 'Puppet wrote no report of this run; the existing report belongs to another run';
  if (identity.kind === 'own-file') return null;
  if (identity.kind === 'job-id') return head['job_id'] === identity.jobId ? null : anothers;
  const began = Date.parse(head['time'] ?? '');
  const ended = began + (counts.duration_s ?? Number.NaN) * 1000;
  if (!(began >= identity.from && ended <= identity.to)) return anothers;
  return identity.exitCode === null || isEndOf(head['status'], identity.exitCode) ? null : anothers;
};

/** With `--detailed-exitcodes`. */
const isEndOf = (status: string | undefined, exitCode: number): boolean =>
  status === 'failed' ? exitCode === 4 || exitCode === 6 : exitCode === (status === 'changed' ? 2 : 0);

/** What a run was limited to; no report says it. */
export type RunLimits = Pick<PuppetRunFacts, 'tags' | 'skip_tags'>;

/** What the report of a run says. */
export const runFacts = (settings: PuppetSettings, report: RunReport, limits: RunLimits): PuppetRunFacts => {
  const { head, counts, resources, pending, error } = report;
  return {
    ...counts,
    ...resources,
    pending,
    config_version: head['configuration_version']?.slice(0, 300) ?? null,
    noop: head['noop'] === 'true',
    environment: identifier(head['environment']),
    cached_catalog: !['not_used', undefined].includes(head['cached_catalog_status']),
    ...limits,
    report: identifier(head['transaction_uuid']),
    status: identifier(head['status']),
    job_id: head['job_id']?.slice(0, 300) ?? null,
    error,
    report_file: settings.lastRunReport,
  };
};

const identifier = (text: string | undefined): string | null =>
  /^[\w-]{1,64}$/.test(text ?? '') ? (text ?? null) : null;
