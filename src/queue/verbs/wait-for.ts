import { type FinishedJob, hasEnded, type Job, type JobId, type SkippedJob } from '../../domain/job.ts';
import { jobWithId, type Room } from '../room.ts';

/** Resolves with the job once it has ended; rejects with the signal's reason when that gives up. */
export const waitFor = (room: Room, id: JobId, signal: AbortSignal): Promise<FinishedJob | SkippedJob> =>
  new Promise((resolve, reject) => {
    const look = (job: Job): void => {
      if (!hasEnded(job)) return;
      done();
      resolve(job);
    };
    const giveUp = (): void => {
      done();
      reject(signal.reason);
    };
    const done = (): void => {
      unsubscribe();
      signal.removeEventListener('abort', giveUp);
    };
    const job = jobWithId(room, id);
    const unsubscribe = room.changes.onJob(id, look);
    signal.addEventListener('abort', giveUp);
    if (signal.aborted) giveUp();
    else look(job);
  });
