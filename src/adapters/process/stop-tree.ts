import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessTree } from './process-tree.ts';

/** TERM to everything, KILL to what is left after `graceMs`, again and again until nothing is. */
export const stopTree = async (tree: ProcessTree, graceMs: number): Promise<void> => {
  tree.signal('SIGTERM');
  if (await becomes(() => tree.isGone(), graceMs)) return;
  for (let waitMs = 1; !tree.isGone(); waitMs = Math.min(waitMs * 2, 1000)) {
    tree.signal('SIGKILL');
    await sleep(waitMs);
  }
};

/** Looks at growing intervals (1 to 50 ms) until `condition` holds (true) or `withinMs` has ended (false). */
export const becomes = async (condition: () => boolean, withinMs: number): Promise<boolean> => {
  const deadline = performance.now() + withinMs;
  for (let waitMs = 1; !condition(); waitMs = Math.min(waitMs * 2, 50)) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return false;
    await sleep(Math.min(waitMs, leftMs));
  }
  return true;
};
