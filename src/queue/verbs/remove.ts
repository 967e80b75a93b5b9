import type { JobId, SkippedJob } from '../../domain/job.ts';
import { jobWithId, type QueueContext, wrongState } from '../context.ts';

/** Takes a queued job out of its queue; it ends as skipped, and jobs that wait for it may start. */
export const remove = (context: QueueContext, id: JobId): SkippedJob => {
  const job = jobWithId(context, id);
  if (job.state === 'running') throw wrongState(job, 'kill it instead.');
  if (job.state !== 'queued') throw wrongState(job, 'only a queued job can be removed.');
  return context.transitions.skip(id, 'removed');
};
