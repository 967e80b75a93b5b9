import type { ProcessTree } from '../adapters/process/process-tree.ts';
import { stopTree } from '../adapters/process/stop-tree.ts';
import { startTimer } from '../kit/timer.ts';
import type { LaunchPlan, RunExit } from '../queue/ports/runner.ts';

/** What may end a job before it ends by itself; the first reason wins. */
export interface Stopping {
  request(cause: 'timeout' | 'kill'): void;
  /** From now on requests act; one that came before acts at once. */
  arm(tree: ProcessTree, plan: Pick<LaunchPlan, 'timeoutMs' | 'graceMs'>): void;
  /** Requests do not act any more; false when one has. */
  hold(): boolean;
  /** Takes `hold` back: a request that came meanwhile acts now. */
  release(): void;
  /** Why the job ended; waits for a stop that is under way. */
  settled(): Promise<RunExit['cause']>;
}

export const createStopping = (): Stopping => {
  let cause: RunExit['cause'] = 'itself';
  let stop: (() => Promise<void>) | undefined;
  let stopped: Promise<void> | undefined;
  let isHeld = false;
  let disarm = (): void => undefined;
  const act = (): void => {
    if (cause !== 'itself' && stop !== undefined && !isHeld) stopped ??= stop();
  };
  const request = (why: 'timeout' | 'kill'): void => {
    if (cause === 'itself') cause = why;
    act();
  };
  return {
    request,
    arm: (tree, { timeoutMs, graceMs }) => {
      stop = () => stopTree(tree, graceMs);
      if (timeoutMs !== null) disarm = startTimer(timeoutMs, () => request('timeout'));
      act();
    },
    hold: () => {
      isHeld = stopped === undefined;
      return isHeld;
    },
    release: () => {
      isHeld = false;
      act();
    },
    settled: async () => {
      disarm();
      await stopped;
      return isHeld ? 'itself' : cause;
    },
  };
};
