import { uptime } from 'node:os';

/** `uptime` reads a file, and whoever writes thousands of messages a second would wait for that. */
const sampleMs = 1_000;

/**
 * A clock that nobody sets: ms since the machine was started, never less than before. `performance.now` stands still while the
 * machine sleeps; that time is in it a second after it woke at the latest.
 */
export const createSinceBoot = (): (() => number) => {
  let ahead = Number.NEGATIVE_INFINITY;
  let sampledAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now - sampledAt > sampleMs) {
      ahead = Math.max(ahead, uptime() * 1_000 - now);
      sampledAt = now;
    }
    return now + ahead;
  };
};
