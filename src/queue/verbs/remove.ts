import type { JobId, SkippedJob } from '../../domain/job.ts';
import { jobWithId, type Room, wrongState } from '../room.ts';

/** Takes a queued job out of its queue; it ends as skipped, and jobs that wait for it may start. */
export const remove = (room: Room, id: JobId): SkippedJob => {
  const job = jobWithId(room, id);
  if (job.state === 'running') throw wrongState(job, 'kill it instead.');
  if (job.state !== 'queued') throw wrongState(job, 'only a queued job can be removed.');
  return room.transitions.skip(id, 'removed');
};
