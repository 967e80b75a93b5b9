import { TriggerdError } from '../domain/errors.ts';
import type { Clock } from '../queue/ports.ts';

/** So many mistakes are free; each further one doubles the wait. */
const free = 3;
const firstWaitMs = 1_000;
const maxWaitMs = 5 * 60_000;
/** Whoever has not failed for this long begins anew. */
const forgottenMs = 15 * 60_000;
const maxKeys = 10_000;

/**
 * Slows down whoever guesses: failures are counted per key (an identity, a connection). A key that is slowed is refused
 * without a look at what it brings, so that a flood costs nothing. Bounded: the key that failed longest ago is forgotten.
 */
export class Attempts {
  readonly #clock: Clock;
  /** In the order of the last failure. */
  readonly #failures = new Map<string, { readonly count: number; readonly at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws `too-many-attempts` while one of the keys has to wait. */
  assertMayTry(...keys: readonly string[]): void {
    const waitMs = Math.max(...keys.map((key) => this.#waitMs(key)));
    if (waitMs <= 0) return;
    const seconds = Math.ceil(waitMs / 1_000);
    throw new TriggerdError('too-many-attempts', `too many failed attempts; try again in ${seconds} s`, {
      details: { retry_after_ms: waitMs },
    });
  }

  /** Tells which of the keys are slowed from now on. */
  failed(...keys: readonly string[]): string[] {
    const at = this.#clock.now();
    const slowed: string[] = [];
    for (const key of keys) {
      const count = (this.#current(key)?.count ?? 0) + 1;
      this.#failures.delete(key);
      this.#failures.set(key, { count, at });
      if (count === free) slowed.push(key);
    }
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= maxKeys) break;
      this.#failures.delete(oldest);
    }
    return slowed;
  }

  succeeded(...keys: readonly string[]): void {
    for (const key of keys) this.#failures.delete(key);
  }

  #waitMs(key: string): number {
    const failure = this.#current(key);
    if (failure === undefined || failure.count < free) return 0;
    const waitMs = Math.min(maxWaitMs, firstWaitMs * 2 ** (failure.count - free));
    return failure.at + waitMs - this.#clock.now();
  }

  #current(key: string) {
    const failure = this.#failures.get(key);
    const isOver = failure !== undefined && this.#clock.now() - failure.at > forgottenMs;
    return isOver ? undefined : failure;
  }
}
