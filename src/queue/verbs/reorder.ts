import type { JobId, QueuedJob } from '../../domain/job.ts';
import { jobWithId, type QueueContext, wrongState } from '../context.ts';

/** Moves a queued job to the head of its queue. */
export const makeUrgent = (context: QueueContext, id: JobId): QueuedJob => {
  requireQueued(context, id);
  const job = context.journal.makeUrgent(id);
  context.changes.announce(job);
  return job;
};

/** Exchanges the places of two queued jobs of one queue. */
export const swap = (context: QueueContext, a: JobId, b: JobId): void => {
  const [first, second] = [requireQueued(context, a), requireQueued(context, b)];
  if (first.request.queue !== second.request.queue) throw wrongState(first, `job ${b} is in another queue.`);
  context.journal.swap(a, b);
  for (const id of [a, b]) context.changes.announce(jobWithId(context, id));
};

const requireQueued = (context: QueueContext, id: JobId): QueuedJob => {
  const job = jobWithId(context, id);
  if (job.state === 'queued') return job;
  throw wrongState(job, 'only queued jobs have a place.');
};
