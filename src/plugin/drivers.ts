import type { Deferral, Job, JobRequest } from '../domain/job.ts';
import type { RunEnding, RunTerms, Verdict } from '../queue/ports.ts';
import type { Plugin } from './manifest.ts';

/**
 * What triggerd itself knows about a kind of plugin: how its command line is made, what may be in its way and what its
 * end means. The plugin's manifest names its driver; most plugins need none of this and use `exec`.
 */
export interface Driver {
  /** Throws `plugin-arguments` for what this kind of plugin could only ignore: a noop that would be a real run, say. */
  check(plugin: Plugin, request: JobRequest): void;
  /** Program and arguments. */
  argv(plugin: Plugin, job: Pick<Job, 'id' | 'attempt' | 'request'>): [string, ...string[]];
  /** The command as `trigger queue` shows it. */
  shown(plugin: Plugin, request: JobRequest): string;
  obstacle(job: Job): Promise<Omit<Deferral, 'since'> | null>;
  /** Must need nothing that may have changed since the start: no plugin folder, no configuration. */
  conclude(job: Job, ending: RunEnding, terms: RunTerms): Promise<Verdict>;
}

/** The verdict on a run from its exit alone. */
export const plainVerdict = (
  ending: RunEnding,
  { successExitCodes }: Pick<RunTerms, 'successExitCodes'>,
): Verdict & { kind: 'result' } => {
  const details = {};
  const { exit } = ending;
  if (exit.kind === 'not-started')
    return { kind: 'result', result: { kind: 'failed-to-start', reason: exit.reason }, details };
  if (ending.cause === 'timeout') return { kind: 'result', result: { kind: 'timed-out' }, details };
  if (ending.cause === 'kill') {
    const signal = exit.kind === 'signalled' ? exit.signal : 'SIGTERM';
    return { kind: 'result', result: { kind: 'killed', signal }, details };
  }
  if (exit.kind === 'signalled') return { kind: 'result', result: { kind: 'killed', signal: exit.signal }, details };
  const kind = successExitCodes.includes(exit.code) ? 'succeeded' : 'failed';
  return { kind: 'result', result: { kind, exitCode: exit.code }, details };
};
