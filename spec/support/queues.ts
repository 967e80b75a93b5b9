import type { Firing } from '../../src/domain/firing.ts';
import type { Job, JobRequest } from '../../src/domain/job.ts';
import type { JobResult } from '../../src/domain/result.ts';
import type { QueuesOptions } from '../../src/queue/context.ts';
import { createQueues } from '../../src/queue/create-queues.ts';
import type { Acceptance, Journal } from '../../src/queue/ports/journal.ts';
import type { Plugins } from '../../src/queue/ports/plugins.ts';
import type { LaunchPlan, RunExit, Runner } from '../../src/queue/ports/runner.ts';
import type { Queues } from '../../src/queue/queues.ts';
import { planOf } from './plans.ts';
import { recordingLog } from './recording-log.ts';

/** Queues with one named `default`; every other part may be given. */
export const queuesOf = (
  parts: { journal: Journal; runner: Runner } & Partial<Omit<QueuesOptions, 'journal' | 'runner'>>,
): Queues =>
  createQueues({
    queues: [{ name: 'default', slots: 1, maxQueued: 1_000_000 }],
    plugins: plainPlugins(),
    watchPaths: () => () => undefined,
    clock: { now: () => Date.now() },
    log: recordingLog(),
    history: { keep: 1_000_000, idsMs: 1e12, maxAgeMs: 1e12, every: 3_600_000 },
    maxAttempts: 3,
    ...parts,
  });

/** Takes one firing over. */
export const accept = (queues: Queues, firing: Firing, request: JobRequest): Acceptance | undefined =>
  queues.take([{ firing, job: queues.jobFor(request) }])[0];

/** The command is the job's argv; its end means what its exit says. */
export const plainPlugins = (parts: Partial<Plugins> = {}): Plugins => ({
  check: (request) => request.argv.join(' '),
  settled: (request) => request,
  obstacle: async () => null,
  prepare: async (job) => planFor(job),
  checkCall: () => undefined,
  call: () => {
    throw new Error('no plugin here is persistent');
  },
  isRerunAfterLoss: () => false,
  conclude: async (_job, ending) => ({ kind: 'result', result: resultOf(ending), details: {} }),
  ...parts,
});

const planFor = ({ request }: Job): LaunchPlan => {
  const [program = '/bin/true', ...args] = request.argv;
  return planOf([program, ...args], { timeoutMs: request.timeoutMs });
};

const resultOf = ({ cause, exit }: RunExit): JobResult => {
  if (exit.kind === 'not-started') return { kind: 'failed-to-start', reason: exit.reason };
  if (cause === 'timeout') return { kind: 'timed-out' };
  if (cause === 'kill' || exit.kind === 'signalled') {
    return { kind: 'killed', signal: exit.kind === 'signalled' ? exit.signal : 'SIGTERM' };
  }
  return exit.code === 0 ? { kind: 'succeeded', exitCode: 0 } : { kind: 'failed', exitCode: exit.code };
};

/** A runner whose jobs last until the test ends them. */
export interface HeldRunner extends Runner {
  /** Folders of the jobs that run, oldest first. */
  readonly running: string[];
  /** Ends the oldest running job. */
  endOne(exitCode?: number): void;
}

export const heldRunner = (): HeldRunner => {
  const held = new Map<string, (ending: RunExit) => void>();
  const running: string[] = [];
  return {
    running,
    run: (folder) =>
      new Promise((resolve) => {
        running.push(folder);
        held.set(folder, resolve);
      }),
    endOne: (code = 0) => {
      const folder = running.shift() ?? '';
      held.get(folder)?.(endingOf(code));
    },
    adopt: async () => 'lost',
    kill: async (folder) => {
      running.splice(running.indexOf(folder), 1);
      held.get(folder)?.({ ...endingOf(0), cause: 'kill', exit: { kind: 'signalled', signal: 'SIGTERM' } });
    },
    discard: async () => undefined,
    close: async () => undefined,
  };
};

/** A runner whose jobs have ended at once. */
export const instantRunner = (onRun: (folder: string) => void = () => undefined): Runner => ({
  ...heldRunner(),
  run: async (folder) => {
    onRun(folder);
    return endingOf(0);
  },
});

export const endingOf = (code: number): RunExit => ({
  startedAt: Date.now(),
  finishedAt: Date.now(),
  times: { realS: 0.01, userS: 0, systemS: 0 },
  exit: { kind: 'exited', code },
  cause: 'itself',
  outputBytes: 0,
});
