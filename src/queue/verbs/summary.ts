import type { QueueSummary } from '../queues.ts';
import type { Room } from '../room.ts';

/** One line per queue, in the order of the configuration; then those that are gone from it and have jobs. */
export const summary = (room: Room): QueueSummary[] => {
  const deferred = room.journal.deferred();
  return [...room.queues.values()].map(({ name, size, isPaused, drains }) => ({
    name,
    slots: size,
    paused: isPaused,
    draining: drains > 0,
    queued: room.journal.count(name, 'queued'),
    running: room.journal.count(name, 'running') + runningInMemory(room, name),
    deferred: deferred.filter(({ request }) => request.queue === name).length,
  }));
};

const runningInMemory = ({ inMemory }: Room, name: string): number =>
  (inMemory?.list(name) ?? []).filter(({ job }) => job.state === 'running').length;
