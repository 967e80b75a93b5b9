import { type FinishedJob, hasEnded, type Job, type JobId, type SkippedJob } from '../../domain/job.ts';
import { unlessAborted } from '../../kit/unless-aborted.ts';
import { jobWithId, type QueueContext } from '../context.ts';

/** Resolves with the job once it has ended; rejects with the signal's reason when that gives up. */
export const waitFor = async (
  context: QueueContext,
  id: JobId,
  signal: AbortSignal,
): Promise<FinishedJob | SkippedJob> => {
  const job = jobWithId(context, id);
  let unsubscribe: (() => void) | undefined;
  const ended = new Promise<FinishedJob | SkippedJob>((resolve) => {
    const look = (now: Job): void => (hasEnded(now) ? resolve(now) : undefined);
    unsubscribe = context.changes.onJob(id, look);
    look(job);
  });
  const giveUp = (): never => {
    throw signal.reason;
  };
  return unlessAborted(ended, signal, giveUp).finally(unsubscribe);
};
