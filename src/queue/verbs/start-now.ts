import { TriggerdError } from '../../domain/errors.ts';
import type { JobRequest, RunningJob } from '../../domain/job.ts';
import { isBackingOff } from '../backoff.ts';
import { type NamedQueue, type QueueContext, queueNamed } from '../context.ts';
import type { InMemoryJob } from '../in-memory/in-memory-jobs.ts';
import { backOffAfter, holdNow, runNow } from '../scheduler.ts';

/** Slots that could take a job at once: none while the queue is paused, drains or backs off. */
export const free = (context: QueueContext, name: string): number => {
  const queue = queueNamed(context, name);
  if (context.phase !== 'running' || queue.isPaused || queue.drains > 0 || isBackingOff(queue)) return 0;
  return Math.max(0, queue.scheduler.concurrency - queue.scheduler.pending - queue.scheduler.size);
};

/** Calls back when slots may have become free: a task has ended, or something that kept the queue shut has ended. */
export const onFree = (context: QueueContext, name: string, listener: () => void): (() => void) => {
  const queue = queueNamed(context, name);
  queue.scheduler.on('next', listener);
  queue.openings.add(listener);
  return () => {
    queue.scheduler.off('next', listener);
    queue.openings.delete(listener);
  };
};

/**
 * Starts a job without a stay in the queue; undefined when no slot is free for it, which is also so while the journal
 * refuses. It is journalled as running when this returns. Throws `queue-not-found`, `plugin-*`.
 */
export const startNow = (context: QueueContext, request: JobRequest): RunningJob | undefined => {
  const queue = queueNamed(context, request.queue);
  const command = context.plugins.check(request);
  if (free(context, request.queue) === 0) return undefined;
  const entry = { request: context.plugins.settled(request), command, coalescingKey: null, at: context.clock.now() };
  const job = retryably(context, queue, () => context.transitions.begin(entry));
  if (job !== undefined) runNow(context, queue, job);
  return job;
};

/** Undefined when the journal refuses: the queue backs off. */
const retryably = <T>(context: QueueContext, queue: NamedQueue, work: () => T): T | undefined => {
  try {
    return work();
  } catch (thrown) {
    if (!(thrown instanceof TriggerdError && thrown.retryable)) throw thrown;
    backOffAfter(context, queue, thrown);
    return undefined;
  }
};

/**
 * Starts a request to a persistent plugin, in memory; undefined when no slot is free for it. `command` is what
 * `Plugins.checkCall` gave.
 */
export const startInMemory = (context: QueueContext, request: JobRequest, command: string): InMemoryJob | undefined => {
  const { inMemory } = context;
  const queue = queueNamed(context, request.queue);
  if (inMemory === undefined || free(context, request.queue) === 0) return undefined;
  const job = retryably(context, queue, () => inMemory.start(request, command));
  if (job !== undefined) holdNow(queue, job.over);
  return job;
};
