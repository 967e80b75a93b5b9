/** Jobs that wait for the success of one that did not succeed end at once: nobody should wait for their turn. */
import type { QueueContext } from './context.ts';

const batch = 100;

/** Skips them, also those whose own dependents lose hope by that. Returns what to call after the end of a job. */
export const createHopelessSkipper = (context: Pick<QueueContext, 'journal' | 'transitions' | 'log'>): (() => void) => {
  let isSkipping = false;
  return () => {
    // What is skipped here is announced, which brings us back here: the loop below sees it.
    if (isSkipping) return;
    isSkipping = true;
    try {
      for (let found = context.journal.hopeless(batch); found.length > 0; found = context.journal.hopeless(batch))
        for (const { id, reason } of found) context.transitions.skip(id, reason);
    } catch (thrown) {
      context.log.warn({ error: thrown }, 'Cannot skip jobs that can never start; retrying');
    } finally {
      isSkipping = false;
    }
  };
};
