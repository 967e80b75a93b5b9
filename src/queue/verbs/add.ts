import { TriggerdError } from '../../domain/errors.ts';
import type { JobRequest, JobSource, QueuedJob } from '../../domain/job.ts';
import { jobWithId, type NamedQueue, queueNamed, type Room } from '../room.ts';

/** What `maxQueued` counts: a firing is owed and never refused for fullness. */
const bounded: readonly JobSource[] = ['cli', 'request'];

/** Queues a job; it is journalled when this returns. Throws `queue-*`, `plugin-*`, `job-not-found` (`after`), `draining`. */
export const add = (room: Room, request: JobRequest): QueuedJob => {
  const queue = queueNamed(room, request.queue);
  refuseWhileClosing(room, queue);
  const command = room.plugins.check(request);
  if (request.after !== null) jobWithId(room, request.after);
  if (bounded.includes(request.source)) refuseWhenFull(room, queue);
  const job = room.transitions.add({
    request: room.plugins.settled(request),
    command,
    coalescingKey: null,
    at: room.clock.now(),
  });
  room.wake(queue.name);
  return job;
};

const refuseWhileClosing = (room: Room, queue: NamedQueue): void => {
  if (!queue.isConfigured) {
    const message = `The queue “${queue.name}” is not in the configuration any more: it takes no new job.`;
    throw new TriggerdError('queue-not-found', message, { details: { queue: queue.name } });
  }
  if (room.phase === 'stopped') throw new TriggerdError('draining', 'The daemon is stopping.');
  if (queue.drains > 0) {
    throw new TriggerdError('draining', `The queue “${queue.name}” is being drained.`, {
      details: { queue: queue.name },
    });
  }
};

const refuseWhenFull = (room: Room, { name, maxQueued }: NamedQueue): void => {
  if (room.journal.count(name, 'queued', bounded) < maxQueued) return;
  throw new TriggerdError('queue-full', `The queue “${name}” holds ${maxQueued} jobs already.`, {
    details: { queue: name, maxQueued },
  });
};
