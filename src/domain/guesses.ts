/** How whoever guesses is slowed down: failures that were counted somewhere, and how long to wait after so many. */
import { TriggerdError } from './errors.ts';

/** Failures in a row, and when the last one was (ms, of any clock). */
export interface Guesses {
  readonly count: number;
  readonly at: number;
}

/** Failures without a wait; each further one doubles the wait. */
export const freeGuesses = 3;
const firstWaitMs = 1_000;
const maxWaitMs = 5 * 60_000;
/** Failures are forgotten after this time without one. */
const forgottenMs = 15 * 60_000;

export const noGuesses: Guesses = { count: 0, at: 0 };

/** The count with one more failure. */
export const guessed = (before: Guesses, now: number): Guesses => ({
  count: isForgotten(before, now) ? 1 : before.count + 1,
  at: now,
});

/** Throws `too-many-attempts` while there is something to wait for. */
export const assertMayGuess = (guesses: Guesses, now: number): void => {
  const { count, at } = guesses;
  if (count < freeGuesses || isForgotten(guesses, now)) return;
  // A monotonic clock has fractions, which a message may not have.
  const waitMs = Math.ceil(at + Math.min(maxWaitMs, firstWaitMs * 2 ** (count - freeGuesses)) - now);
  if (waitMs <= 0) return;
  const seconds = Math.ceil(waitMs / 1_000);
  throw new TriggerdError('too-many-attempts', `too many failed attempts; try again in ${seconds} s`, {
    details: { retry_after_ms: waitMs },
  });
};

export const isForgotten = ({ at }: Guesses, now: number): boolean => now - at > forgottenMs;
