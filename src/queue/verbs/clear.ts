import { queueNamed, type Room } from '../room.ts';

const batchSize = 1000;

/** Forgets ended jobs, but for those whose outcome etcd does not have yet; returns how many are gone. */
export const clear = (room: Room, queue?: string): number => {
  const which = queue === undefined ? {} : { queue: queueNamed(room, queue).name };
  let cleared = 0;
  for (;;) {
    const ids = room.journal.retirable({ keep: 0, endedBefore: Infinity, limit: batchSize, ...which });
    cleared += room.journal.forgetJobs(ids).length;
    if (ids.length < batchSize) return cleared;
  }
};
