/**
 * A job may take several slots. Its task is one of them; the others are taken from what p-queue may give out. What is chosen
 * must fit beside what runs, and what is behind it waits: a big job is not passed for ever by small ones.
 */
import type { Job } from '../domain/job.ts';
import type { NamedQueue, QueueContext } from './context.ts';

/** Sets how many slots there are. */
export const setSize = (queue: NamedQueue, size: number): void => {
  queue.size = size;
  queue.scheduler.concurrency = Math.max(1, queue.size - queue.extra);
};

/** From its start on; the returned function gives the slots back. */
export const takeExtra = (queue: NamedQueue, job: Job): (() => void) => {
  const extra = slotsOf(queue, job) - 1;
  const change = (by: number): void => {
    queue.extra += by;
    setSize(queue, queue.size);
  };
  if (extra === 0) return () => undefined;
  change(extra);
  return () => change(-extra);
};

/** Whether this job fits beside those that run. Looks only where jobs take more than one slot: p-queue counts the rest. */
export const fits = (context: QueueContext, queue: NamedQueue, job: Job): boolean => {
  const wanted = slotsOf(queue, job);
  if (wanted === 1 && queue.extra === 0) return true;
  const running = context.journal.running().filter(({ request }) => request.queue === queue.name);
  const inMemory = (context.inMemory?.list(queue.name) ?? []).filter(
    ({ job: each }) => each.state === 'running',
  ).length;
  return running.length + inMemory + queue.extra + wanted <= Math.max(queue.size, wanted);
};

/** One that asks for more than there are takes all. */
const slotsOf = ({ size }: NamedQueue, { request }: Job): number => Math.max(1, Math.min(request.slots ?? 1, size));
