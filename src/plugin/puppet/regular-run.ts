/**
 * Runs of Puppet that triggerd has not started: the half-hourly one of the agent, somebody's `puppet apply`. A complete
 * one does what a queued Puppet job would do, and so satisfies it if it began after the job's firings were accepted.
 */
import type { JobRequest } from '../../domain/job.ts';
import type { PuppetHost, PuppetSettings } from '../ports.ts';
import { isAddition, type PuppetCommand, readPuppetCommand } from './command-line.ts';
import { readRunReport, readRunSummary } from './run-files.ts';
import { type PuppetRunFacts, runFacts } from './run-report.ts';

export interface RegularRun {
  readonly what:
    | { readonly kind: 'agent' }
    | { readonly kind: 'apply'; readonly argv: readonly string[]; readonly cwd: string };
  /** When Puppet began, ms since the epoch: before it looked at anything. */
  readonly startedAt: number;
  readonly finishedAt: number;
  /** As with `--detailed-exitcodes`: 0 no change, 2 changes. */
  readonly exitCode: 0 | 2;
  readonly facts: Partial<PuppetRunFacts>;
}

/** What a report says about how whole a run was. */
export interface Completeness {
  readonly status: string | null;
  readonly noop: boolean;
  /** False when the run was ended in the middle. */
  readonly completed: boolean;
  /** Resources left out: by `--tags`, by a schedule, for a failed dependency. */
  readonly skipped: number;
}

/** Only a run that did all, and did it well, is as good as ours; after any other one ours is still owed. */
export const exitCodeOfWhole = ({ status, noop, completed, skipped }: Completeness): 0 | 2 | null => {
  if (noop || !completed || skipped > 0) return null;
  return status === 'changed' ? 2 : status === 'unchanged' ? 0 : null;
};

/**
 * The agent's last run, from the files that it leaves on its node; null when it was no agent's, ours, not whole, or of
 * another catalogue than ours would be: that of another node, a cached one, or one of an environment that somebody wanted to try.
 * The files are those of whoever the agent runs as (`settings.owners`): anybody else's prove nothing.
 */
export const readAgentRun = async (host: PuppetHost, settings: PuppetSettings): Promise<RegularRun | null> => {
  const summary = await readRunSummary(host, settings);
  if (summary?.runMode !== 'agent') return null;
  const report = await readRunReport(host, settings);
  if (report === undefined) return null;
  const { head } = report;
  const startedAt = Date.parse(head['time'] ?? '');
  if (Number.isNaN(startedAt) || isOurs(head['job_id']) || head['host'] !== settings.reportHost) return null;
  // The summary may be of an earlier run. Puppet writes it first, and its time has whole seconds.
  const finishedAt = summary.lastRun * 1000;
  if (!(finishedAt + 1000 > startedAt)) return null;
  if (head['cached_catalog_status'] !== 'not_used') return null;
  if ((summary.environment ?? head['environment']) !== settings.environment) return null;
  const noop = head['noop'] === 'true';
  const completed = head['transaction_completed'] === 'true';
  const skipped = summary.skipped ?? Number.NaN;
  const exitCode = exitCodeOfWhole({ status: head['status'] ?? null, noop, completed, skipped });
  if (exitCode === null) return null;
  const limits = { tags: settings.tags || null, skip_tags: settings.skipTags || null };
  const facts = { ...runFacts(settings, report, limits), ...summary.counts };
  return { what: { kind: 'agent' }, startedAt, finishedAt: Math.max(startedAt, finishedAt), exitCode, facts };
};

/** Whether the run did what this job would do. */
export const isCoveredBy = (
  run: Pick<RegularRun, 'what'>,
  request: Pick<JobRequest, 'plugin' | 'argv' | 'args' | 'noop' | 'source'>,
  runCommand: readonly string[],
): boolean => {
  const isPlain = request.argv.length === 0 && Object.keys(request.args).length === 0 && !request.noop;
  if (request.source !== 'firing' || request.plugin !== 'puppet' || !isPlain) return false;
  const ours = readPuppetCommand(runCommand);
  if (ours.kind !== run.what.kind) return false;
  if (run.what.kind === 'agent') return !wordsOf(ours).some((word) => /^--(environment|noop)\b/.test(word));
  return isSameApply(ours, wordsOf(readPuppetCommand(run.what.argv)), run.what.cwd);
};

/** Relative paths mean the same only in the same folder: ours run in `/`, or where `env -C` puts them. */
const isSameApply = (ours: PuppetCommand, theirs: readonly string[], cwd: string): boolean => {
  const folder = (ours.kind !== 'other' && ours.prefix?.folder) || '/';
  return (
    JSON.stringify(wordsOf(ours)) === JSON.stringify(theirs) && (cwd === folder || theirs.every(isFolderIndependent))
  );
};

const isFolderIndependent = (word: string): boolean =>
  word.startsWith('/') || (word.startsWith('-') && !/=(?!\/).*\//.test(word));

/** What follows `puppet agent` or `puppet apply`, without what only changes the exit code. */
const wordsOf = (command: PuppetCommand): string[] =>
  command.kind === 'other' ? [] : command.argv.slice(command.verb + 1).filter((word) => !isAddition(word));

const isOurs = (jobId: string | undefined): boolean => /^triggerd-\d+\.\d+@/.test(jobId ?? '');
