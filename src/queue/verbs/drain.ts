import { queueNamed, type Room } from '../room.ts';
import { summary } from './summary.ts';

/**
 * Resolves when nothing is queued or running in the queue; meanwhile `add` is refused. Firings are owed and still come
 * in, and are waited for, too. Rejects with the signal's reason when that gives up. The queue is open again either way.
 */
export const drain = async (room: Room, name: string, signal: AbortSignal): Promise<void> => {
  const queue = queueNamed(room, name);
  queue.drains += 1;
  try {
    await isEmpty(room, name, signal);
  } finally {
    queue.drains -= 1;
    room.wake(name);
  }
};

const isEmpty = (room: Room, name: string, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const look = (): void => {
      if (signal.aborted) reject(signal.reason);
      else if (isIdle(room, name)) resolve();
      else return;
      unsubscribe();
      scheduler.off('next', look);
      signal.removeEventListener('abort', look);
    };
    const unsubscribe = room.changes.onEvery(look);
    // Requests that run in memory change no job of the journal when they are over.
    const { scheduler } = queueNamed(room, name);
    scheduler.on('next', look);
    signal.addEventListener('abort', look);
    look();
  });

const isIdle = (room: Room, name: string): boolean =>
  summary(room).every((queue) => queue.name !== name || queue.queued + queue.running === 0);
