import type { JobId, SkippedJob } from '../../domain/job.ts';
import { jobWithId, type Room, wrongState } from '../room.ts';

/** Ends a queued job that has lost its purpose; jobs that wait for it may start. */
export const skip = (room: Room, id: JobId, reason: string): SkippedJob => {
  const job = jobWithId(room, id);
  if (job.state !== 'queued') throw wrongState(job, 'only a queued job can be skipped.');
  return room.transitions.skip(id, reason);
};
