import { TriggerdError } from '../../domain/errors.ts';
import { type QueueContext, queueNamed } from '../context.ts';
import { setSize } from '../slots-taken.ts';

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
