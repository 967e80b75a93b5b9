import { createHmac, randomBytes } from 'node:crypto';
import { assertMayGuess, freeGuesses, type Guesses, guessed, isForgotten, noGuesses } from '../domain/guesses.ts';
import type { Clock } from '../kit/clock.ts';

/** 17 bytes each. Who fills them with guesses is slowed by the hashes of passwords: far fewer fit a quarter of an hour. */
const bucketCount = 65_536;
const mostCounted = 255;
/** Several identities have failed here. */
const shared = 0;

/**
 * Slows down whoever guesses at an identity: failures are counted at a bucket that a keyed hash of its name gives, whether
 * there is such an identity or not. There is nothing to evict, so no flood makes a count forgotten; two identities that
 * share a bucket, which nobody can find out beforehand, wait together. An identity that is slowed is refused without a look
 * at what it brings.
 */
export class Attempts {
  readonly #clock: Clock;
  readonly #buckets: number;
  readonly #key = randomBytes(32);
  /** Made with the first failure. */
  #table: Table | undefined;

  constructor(clock: Clock, buckets = bucketCount) {
    this.#clock = clock;
    this.#buckets = buckets;
  }

  /** Throws `too-many-attempts` while the identity has to wait. */
  assertMayTry(identity: string): void {
    if (this.#table !== undefined)
      assertMayGuess(guessesAt(this.#table, this.#bucketOf(identity).at), this.#clock.now());
  }

  /** Tells whether it is slowed from now on. */
  failed(identity: string): boolean {
    const table = this.#tableOrNew();
    const { at, mark } = this.#bucketOf(identity);
    const now = this.#clock.now();
    const before = guessesAt(table, at);
    const isNew = before.count === 0 || isForgotten(before, now);
    const { count } = guessed(before, now);
    table.counts[at] = Math.min(mostCounted, count);
    table.times[at] = now;
    table.marks[at] = isNew || table.marks[at] === mark ? mark : shared;
    return count === freeGuesses;
  }

  /** Forgets the failures of this identity; where those of another one are among them, all stay. */
  succeeded(identity: string): void {
    const { at, mark } = this.#bucketOf(identity);
    if (this.#table?.marks[at] === mark) this.#table.counts[at] = 0;
  }

  #bucketOf(identity: string): { readonly at: number; readonly mark: number } {
    const hash = createHmac('sha256', this.#key).update(identity).digest();
    return { at: hash.readUInt32LE(0) % this.#buckets, mark: hash.readUIntLE(4, 6) + 1 };
  }

  #tableOrNew(): Table {
    this.#table ??= {
      counts: new Uint8Array(this.#buckets),
      times: new Float64Array(this.#buckets),
      marks: new Float64Array(this.#buckets),
    };
    return this.#table;
  }
}

interface Table {
  readonly counts: Uint8Array;
  readonly times: Float64Array;
  /** Whose failures these are. */
  readonly marks: Float64Array;
}

const guessesAt = ({ counts, times }: Table, at: number): Guesses => {
  const count = counts[at] ?? 0;
  return count === 0 ? noGuesses : { count, at: times[at] ?? 0 };
};
