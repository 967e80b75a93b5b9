import { TriggerdError } from '../../domain/errors.ts';
import { queueNamed, type Room } from '../room.ts';
import { setSize } from '../slots-taken.ts';

export const slots = (room: Room, name: string): number => queueNamed(room, name).size;

/** From now on, also after a restart. Fewer slots than running jobs: nothing starts until that has come about. */
export const setSlots = (room: Room, name: string, count: number): void => {
  const queue = queueNamed(room, name);
  if (!Number.isInteger(count) || count < 1) {
    throw new TriggerdError('input-invalid', `a queue needs at least one slot, not ${count}`, { details: { count } });
  }
  room.journal.saveQueueSettings(name, { ...room.journal.queueSettings(name), slots: count });
  setSize(queue, count);
  room.wake(name);
};
