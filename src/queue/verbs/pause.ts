import { type QueueContext, queueNamed } from '../context.ts';

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
