import type { JobId, SkippedJob } from '../../domain/job.ts';
import { jobWithId, type QueueContext, wrongState } from '../context.ts';

/** Ends a queued job that has lost its purpose; jobs that wait for it may start. */
export const skip = (context: QueueContext, id: JobId, reason: string): SkippedJob => {
  const job = jobWithId(context, id);
  if (job.state !== 'queued') throw wrongState(job, 'only a queued job can be skipped.');
  return context.transitions.skip(id, reason);
};
