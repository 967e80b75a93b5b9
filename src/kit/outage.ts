import type { Log } from './log.ts';
import { retryDelayMs, storeRetry } from './retry.ts';

/** What is said when it begins and when it has ended. */
export interface OutageWords {
  readonly begins: string;
  readonly ends: string;
}

/** An error that says what to do about it. */
export interface Failure extends Error {
  readonly remedy: string;
}

/** One thing's being away: said once when it begins and once when it ends, with growing pauses between the tries. */
export class Outage<F extends Failure = Failure> {
  readonly #log: Log;
  readonly #words: OutageWords;
  #failures = 0;
  #error: F | undefined;

  constructor(log: Log, words: OutageWords) {
    this.#log = log;
    this.#words = words;
  }

  /** The latest failure; undefined while all is well. */
  get error(): F | undefined {
    return this.#error;
  }

  /** Notes a failure; returns how long to wait before the next try, in ms. */
  failed(error: F): number {
    this.#error = error;
    if (this.#failures++ === 0) this.#log.warn({ error, remedy: error.remedy }, this.#words.begins);
    return retryDelayMs(storeRetry, this.#failures);
  }

  over(): void {
    if (this.#failures > 0) this.#log.info({ failures: this.#failures }, this.#words.ends);
    this.#failures = 0;
    this.#error = undefined;
  }
}
