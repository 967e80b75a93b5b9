import type { QueueContext } from '../context.ts';
import type { QueueSummary } from '../queues.ts';

/** One line per queue, in the order of the configuration; then those that are gone from it and have jobs. */
export const summary = (context: QueueContext): QueueSummary[] => {
  const deferred = context.journal.deferred();
  return [...context.queues.values()].map(({ name, size, isPaused, drains }) => ({
    name,
    slots: size,
    paused: isPaused,
    draining: drains > 0,
    queued: context.journal.count(name, 'queued'),
    running: context.journal.count(name, 'running') + runningInMemory(context, name),
    deferred: deferred.filter(({ request }) => request.queue === name).length,
  }));
};

const runningInMemory = ({ inMemory }: QueueContext, name: string): number =>
  (inMemory?.list(name) ?? []).filter(({ job }) => job.state === 'running').length;
