import type { JobId, QueuedJob } from '../../domain/job.ts';
import { jobWithId, type Room, wrongState } from '../room.ts';

/** Moves a queued job to the head of its queue. */
export const makeUrgent = (room: Room, id: JobId): QueuedJob => {
  requireQueued(room, id);
  const job = room.journal.makeUrgent(id);
  room.changes.announce(job);
  return job;
};

/** Exchanges the places of two queued jobs of one queue. */
export const swap = (room: Room, a: JobId, b: JobId): void => {
  const [first, second] = [requireQueued(room, a), requireQueued(room, b)];
  if (first.request.queue !== second.request.queue) throw wrongState(first, `job ${b} is in another queue.`);
  room.journal.swap(a, b);
  for (const id of [a, b]) room.changes.announce(jobWithId(room, id));
};

const requireQueued = (room: Room, id: JobId): QueuedJob => {
  const job = jobWithId(room, id);
  if (job.state === 'queued') return job;
  throw wrongState(job, 'only queued jobs have a place.');
};
