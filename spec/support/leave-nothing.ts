import { afterAll, vi } from 'vitest';

/** Setup of every file: the next one runs in the same process, and finds real timers and functions. */
afterAll(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});
