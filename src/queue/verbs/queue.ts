import { TriggerdError } from '../../domain/errors.ts';
import type { JobId, QueuedJob } from '../../domain/job.ts';
import { jobWithId, type QueueContext, queueNamed, wrongState } from '../context.ts';
import { setSize } from '../slots-taken.ts';
import { summary } from './look.ts';

/** Starts nothing more in this queue, also after a restart; what runs continues. */
export const pause = (context: QueueContext, name: string): void => setPaused(context, name, true);

export const resume = (context: QueueContext, name: string): void => {
  setPaused(context, name, false);
  context.wake(name);
};

const setPaused = (context: QueueContext, name: string, isPaused: boolean): void => {
  const queue = queueNamed(context, name);
  context.journal.saveQueueSettings(name, { ...context.journal.queueSettings(name), paused: isPaused });
  queue.isPaused = isPaused;
};

export const slots = (context: QueueContext, name: string): number => queueNamed(context, name).size;

/** From now on, also after a restart. Fewer slots than running jobs: nothing starts until that has come about. */
export const setSlots = (context: QueueContext, name: string, count: number): void => {
  const queue = queueNamed(context, name);
  if (!Number.isInteger(count) || count < 1) {
    throw new TriggerdError('input-invalid', `a queue needs at least one slot, not ${count}`, { details: { count } });
  }
  context.journal.saveQueueSettings(name, { ...context.journal.queueSettings(name), slots: count });
  setSize(queue, count);
  context.wake(name);
};

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

/**
 * Resolves when nothing is queued or running in the queue; meanwhile `add` is refused. Firings are owed and still come
 * in, and are waited for, too. Rejects with the signal's reason when that gives up. The queue is open again either way.
 */
export const drain = async (context: QueueContext, name: string, signal: AbortSignal): Promise<void> => {
  const queue = queueNamed(context, name);
  queue.drains += 1;
  try {
    await isEmpty(context, name, signal);
  } finally {
    queue.drains -= 1;
    context.wake(name);
  }
};

const isEmpty = (context: QueueContext, name: string, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const look = (): void => {
      if (signal.aborted) reject(signal.reason);
      else if (isIdle(context, name)) resolve();
      else return;
      unsubscribe();
      scheduler.off('next', look);
      signal.removeEventListener('abort', look);
    };
    const unsubscribe = context.changes.onEvery(look);
    // Requests that run in memory change no job of the journal when they have ended.
    const { scheduler } = queueNamed(context, name);
    scheduler.on('next', look);
    signal.addEventListener('abort', look);
    look();
  });

const isIdle = (context: QueueContext, name: string): boolean =>
  summary(context).every((queue) => queue.name !== name || queue.queued + queue.running === 0);
