import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../kit/clock.ts';
import type { Log } from '../kit/log.ts';
import type { HistoryOptions } from './context.ts';
import type { Journal } from './ports/journal.ts';
import type { Runner } from './ports/runner.ts';

export type Retention = ReturnType<typeof createRetention>;

export interface RetentionOptions {
  readonly journal: Journal;
  readonly runner: Pick<Runner, 'discard'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly history: HistoryOptions;
}

/** Few enough that nobody notices the pause. */
const batchSize = 100;

/** Forgets ended jobs by number and age. Rows go first, folders after: the journal knows which are left over. */
export const createRetention = ({ journal, runner, clock, log, history }: RetentionOptions) => {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let isSweeping = false;

  /** Requests come by the thousand: they have a share of their own, so that no Puppet run is pushed out by them. */
  const retire = async (): Promise<void> => {
    await retireSome(false);
    await retireSome(true);
    journal.forgetRequests(clock.now() - history.idsMs);
  };

  const retireSome = async (requests: boolean): Promise<void> => {
    for (let forgotten = batchSize; forgotten === batchSize && !isStopped; ) {
      const endedBefore = clock.now() - history.maxAgeMs;
      const ids = journal.retirable({ keep: history.keep, endedBefore, limit: batchSize, requests });
      forgotten = journal.forgetJobs(ids).length;
      await nextTurn();
    }
  };

  const sweepFolders = async (): Promise<void> => {
    while (!isStopped) {
      const folders = journal.leftovers(batchSize);
      if (folders.length === 0) return;
      for (const folder of folders) await runner.discard(folder);
      if (!isStopped) journal.dropLeftovers(folders);
    }
  };

  const logged = (work: Promise<void>): Promise<void> =>
    work.catch((thrown: unknown) => log.warn({ error: thrown }, 'Cannot delete old jobs; retrying'));

  /** Deletes the folders of forgotten jobs, in the background. */
  const sweep = (): void => {
    if (isSweeping) return;
    isSweeping = true;
    void logged(sweepFolders()).finally(() => {
      isSweeping = false;
    });
  };
  const retireAndSweep = (): void => void logged(retire()).then(sweep);

  return {
    start: (): void => {
      timer = setInterval(retireAndSweep, history.every).unref();
      retireAndSweep();
    },
    sweep,
    stop: (): void => {
      isStopped = true;
      clearInterval(timer);
    },
  };
};
