import type { FinishedJob, JobId } from '../../domain/job.ts';
import { followerOf } from '../follower.ts';
import { jobWithId, type Room, wrongState } from '../room.ts';
import type { Ending } from '../transitions.ts';

/** Ends a queued job by the run of somebody else; jobs that wait for it may start. */
export const satisfy = (room: Room, id: JobId, ending: Ending): FinishedJob => {
  const job = jobWithId(room, id);
  if (job.state !== 'queued') throw wrongState(job, 'only a queued job can be satisfied by another run.');
  return room.transitions.satisfy(id, ending, followerOf(room, job, ending));
};
