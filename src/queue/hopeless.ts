/** Jobs that wait for the success of one that did not succeed end at once: nobody should wait for their turn. */
import type { Room } from './room.ts';

const batch = 100;

/** Skips them, also those whose own dependents lose hope by that. Returns what to call after the end of a job. */
export const createHopelessSkipper = (room: Pick<Room, 'journal' | 'transitions' | 'log'>): (() => void) => {
  let isSkipping = false;
  return () => {
    // What is skipped here is announced, which brings us back here: the loop below sees it.
    if (isSkipping) return;
    isSkipping = true;
    try {
      for (let found = room.journal.hopeless(batch); found.length > 0; found = room.journal.hopeless(batch))
        for (const { id, reason } of found) room.transitions.skip(id, reason);
    } catch (thrown) {
      room.log.warn({ error: thrown }, 'Cannot skip jobs that can never start; retrying');
    } finally {
      isSkipping = false;
    }
  };
};
