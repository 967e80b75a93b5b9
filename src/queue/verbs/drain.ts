import { type QueueContext, queueNamed } from '../context.ts';
import { summary } from './summary.ts';

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
