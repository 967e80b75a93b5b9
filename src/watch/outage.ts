import { asTriggerdError, type TriggerdError } from '../domain/errors.ts';
import type { Log } from '../domain/log.ts';
import { retryDelayMs, storeRetry } from '../domain/retry.ts';

/** What is said when it begins and when it is over. */
export interface OutageWords {
  readonly begins: string;
  readonly ends: string;
}

/** One thing's being away: said once when it begins and once when it ends, with growing pauses between the tries. */
export class Outage {
  readonly #log: Log;
  readonly #words: OutageWords;
  #failures = 0;
  #error: TriggerdError | undefined;

  constructor(log: Log, words: OutageWords) {
    this.#log = log;
    this.#words = words;
  }

  /** The latest failure; undefined while all is well. */
  get error(): TriggerdError | undefined {
    return this.#error;
  }

  /** Notes a failure; returns how long to wait before the next try. */
  failed(thrown: unknown): number {
    this.#error = asTriggerdError(thrown);
    if (this.#failures++ === 0) this.#log.warn({ error: this.#error, remedy: this.#error.remedy }, this.#words.begins);
    return retryDelayMs(storeRetry, this.#failures);
  }

  over(): void {
    if (this.#failures > 0) this.#log.info({ failures: this.#failures }, this.#words.ends);
    this.#failures = 0;
    this.#error = undefined;
  }
}
