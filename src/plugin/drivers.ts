import type { Deferral, Job, JobRequest } from '../domain/job.ts';
import { failureOf } from '../domain/result.ts';
import { exitCodeOfSignal } from '../kit/signals.ts';
import type { Conclusion } from '../queue/ports/plugins.ts';
import type { RunExit, RunTerms } from '../queue/ports/runner.ts';
import type { Plugin } from './manifest.ts';

/**
 * What triggerd itself knows about a kind of plugin: how its command line is made, what may be in its way and what its
 * end means. The plugin's manifest names its driver; most plugins need none of this and use `exec`.
 */
export interface Driver {
  /** Throws `plugin-arguments` for what this kind of plugin could only ignore: a noop that would be a real run, say. */
  check(plugin: Plugin, request: JobRequest): void;
  /** Adds to the request what the job takes from the configuration; missing: nothing. */
  settled?(request: JobRequest): JobRequest;
  /** Program and arguments. */
  argv(plugin: Plugin, job: Pick<Job, 'id' | 'attempt' | 'request'>): [string, ...string[]];
  /** What is started where that depends on the machine; missing: `argv`. */
  startArgv?(
    plugin: Plugin,
    job: Pick<Job, 'id' | 'attempt' | 'request' | 'enqueuedAt'>,
  ): Promise<[string, ...string[]]>;
  /** The command as `trigger queue` shows it. */
  shown(plugin: Plugin, request: JobRequest): string;
  obstacle(job: Job): Promise<Omit<Deferral, 'since'> | null>;
  /** Must need nothing that may have changed since the start: no plugin folder, no configuration. */
  conclude(job: Job, runExit: RunExit, terms: RunTerms): Promise<Conclusion>;
}

/** The conclusion on a run from its exit alone. */
export const concludeFromExit = (
  runExit: RunExit,
  { successExitCodes, retryExitCodes = [] }: Pick<RunTerms, 'successExitCodes' | 'retryExitCodes'>,
): Conclusion & { kind: 'result' } => {
  const details = {};
  const { exit } = runExit;
  const why = limitReason(runExit);
  if (exit.kind === 'not-started')
    return { kind: 'result', result: { kind: 'failed-to-start', reason: exit.reason }, details };
  if (runExit.cause === 'timeout') return { kind: 'result', result: { kind: 'timed-out', ...why }, details };
  if (runExit.cause === 'kill') {
    const signal = exit.kind === 'signalled' ? exit.signal : 'SIGTERM';
    return { kind: 'result', result: { kind: 'killed', signal }, details };
  }
  if (exit.kind === 'signalled')
    return { kind: 'result', result: { kind: 'killed', signal: exit.signal, ...why }, details };
  if (successExitCodes.includes(exit.code))
    return { kind: 'result', result: { kind: 'succeeded', exitCode: exit.code }, details };
  return { kind: 'result', result: failureOf(exit.code, retryExitCodes, why.reason), details };
};

/** Which limit a job met that did not end well: its own exit code seldom says. */
const limitReason = ({ exceeded, exit }: RunExit): { readonly reason?: string } => {
  const { outOfMemory = 0, refusedForks = 0 } = exceeded ?? {};
  const memory = `Out of memory: the kernel killed ${counted(outOfMemory, 'process', 'processes')} (max_memory).`;
  const forks = `Pids limit: ${counted(refusedForks, 'start of a process', 'starts of processes')} refused (max_processes).`;
  const met = [
    ...(outOfMemory > 0 ? [memory] : []),
    ...(refusedForks > 0 ? [forks] : []),
    ...(isOutOfTime(exit) ? ['Processor time: more than it may use (max_cpu).'] : []),
  ];
  return met.length === 0 ? {} : { reason: met.join(' ') };
};

/** A shell passes on what ended its last command as 128 and the signal’s number. */
const isOutOfTime = (exit: RunExit['exit']): boolean =>
  exit.kind === 'signalled'
    ? exit.signal === 'SIGXCPU'
    : exit.kind === 'exited' && exit.code === exitCodeOfSignal('SIGXCPU');

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;
