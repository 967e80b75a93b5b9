import type { FinishedJob } from '../../domain/job.ts';
import type { Log } from '../../kit/log.ts';
import type { EndedRecord, Journal } from '../ports/journal.ts';

export interface GroupCommitOptions {
  readonly journal: Pick<Journal, 'record'>;
  /** Ended jobs with their output here that are kept. */
  readonly keep: number;
  readonly log: Log;
  readonly onRecorded: (job: FinishedJob) => void;
}

export type GroupCommit = ReturnType<typeof createGroupCommit>;

const windowMs = 100;
/** Of more than these in one window, the oldest are remembered by their ids and results alone. */
const maxWhole = 100;
/** While the disk refuses. */
const retryMs = 1000;
/** Records that wait for a disk which refuses them; beyond, the oldest are given up. */
const maxWaiting = 20_000;

/** Gathers ended jobs and journals them together; `flush` does it now. */
export const createGroupCommit = ({ journal, keep, log, onRecorded }: GroupCommitOptions) => {
  let waiting: EndedRecord[] = [];
  let timer: NodeJS.Timeout | undefined;
  let hasFailed = false;

  const giveUpOldest = (): void => {
    const givenUp = waiting.splice(0, waiting.length - maxWaiting);
    for (const { job } of givenUp) onRecorded(job);
    if (givenUp.length > 0)
      log.error({ count: givenUp.length }, 'Records of requests are lost: the journal refuses them');
  };

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return;
    try {
      journal.record(waiting, { keep, whole: maxWhole });
      if (hasFailed) log.info({}, 'Requests are journalled again');
      hasFailed = false;
    } catch (thrown) {
      if (!hasFailed) log.error({ error: thrown }, 'Cannot journal ended requests; retrying');
      hasFailed = true;
      giveUpOldest();
      timer = setTimeout(flush, retryMs).unref();
      return;
    }
    const recorded = waiting;
    waiting = [];
    for (const { job } of recorded) onRecorded(job);
  };

  return {
    add: (record: EndedRecord): void => {
      waiting.push(record);
      timer ??= setTimeout(flush, windowMs);
    },
    flush,
  };
};
