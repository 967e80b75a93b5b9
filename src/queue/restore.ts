import type { NamedQueue, Room } from './room.ts';
import { adoptJob } from './run-job.ts';
import { holdSlot } from './scheduler.ts';

/**
 * What a restart finds: jobs that run without us are adopted, and hold their slots before anything new starts; deferred
 * jobs are watched again, and delayed ones timed; then every queue looks at what is queued.
 */
export const restore = (room: Room): void => {
  for (const job of room.journal.running()) {
    const adopted = adoptJob(room, job).catch((thrown: unknown) =>
      room.log.error({ error: thrown, job: job.id }, 'Cannot adopt a running job'),
    );
    const queue = room.queues.get(job.request.queue);
    if (queue !== undefined) holdSlot(room, queue, job, adopted);
  }
  room.deferrals.restore();
  room.skipHopeless();
  room.delays.look();
  for (const queue of room.queues.values()) open(room, queue);
};

const open = (room: Room, queue: NamedQueue): void => {
  queue.scheduler.start();
  room.wake(queue.name);
};
