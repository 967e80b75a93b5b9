import type { FinishedJob, JobId } from '../../domain/job.ts';
import { jobWithId, type QueueContext, wrongState } from '../context.ts';
import { followerOf } from '../follower.ts';
import type { Ending } from '../transitions.ts';

/** Ends a queued job by the run of somebody else; jobs that wait for it may start. */
export const satisfy = (context: QueueContext, id: JobId, ending: Ending): FinishedJob => {
  const job = jobWithId(context, id);
  if (job.state !== 'queued') throw wrongState(job, 'only a queued job can be satisfied by another run.');
  return context.transitions.satisfy(id, ending, followerOf(context, job, ending));
};
