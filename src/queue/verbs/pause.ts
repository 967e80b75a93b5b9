import { queueNamed, type Room } from '../room.ts';

/** Starts nothing more in this queue, also after a restart; what runs goes on. */
export const pause = (room: Room, name: string): void => setPaused(room, name, true);

export const resume = (room: Room, name: string): void => {
  setPaused(room, name, false);
  room.wake(name);
};

const setPaused = (room: Room, name: string, isPaused: boolean): void => {
  const queue = queueNamed(room, name);
  room.journal.saveQueueSettings(name, { ...room.journal.queueSettings(name), paused: isPaused });
  queue.isPaused = isPaused;
};
