import { afterAll, vi } from 'vitest';
import { until } from './wait.ts';

const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

/** What files before this one have left in this process: each fails for its own. This module is loaded again for each file. */
const ofOthers = Symbol.for('triggerd: timers of earlier files');
const known = globalThis as { [ofOthers]?: number };

/**
 * Setup of the unit tests: a file that leaves timers running fails, for the next file in its process would meet what they do. Those
 * that keep no process alive are not seen; vitest's own are gone in some milliseconds.
 */
afterAll(async () => {
  vi.useRealTimers();
  try {
    await until(() => timers() <= (known[ofOthers] ?? 0), 'the end of the timers that this file has left', 10_000);
  } catch (error) {
    known[ofOthers] = timers();
    throw error;
  }
});
