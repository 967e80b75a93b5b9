/** What every part of a round is given, and what it gives back. */

import type { Clock } from '../../kit/clock.ts';
import type { Log } from '../../kit/log.ts';
import type { Election } from '../../store/election.ts';
import type { Entry, KeyStore, Page } from '../../store/key-store.ts';
import type { Keyspace } from '../../store/keys.ts';

export interface RoundOptions extends Keyspace {
  readonly election: Election;
  /** How long something unfinished must have stayed as it is to count as abandoned. */
  readonly abandonedMs: number;
  /** Finished firings beyond this number are forgotten, the oldest first. */
  readonly firingsKept: number;
  /** Finished firings are forgotten this long after their end. */
  readonly firingsMaxAgeMs: number;
  /** Records of requests are forgotten this long after their end. */
  readonly requestsMaxAgeMs: number;
  /** Records of requests beyond so many bytes are forgotten, the oldest first. */
  readonly requestsSize: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a part of a round did, in numbers for the log; `isComplete`: nothing is left for a round that follows soon. */
export interface Swept {
  readonly did: Readonly<Record<string, number>>;
  readonly isComplete: boolean;
}

/** Walks through all keys with a prefix, page by page, over as many rounds as that takes; then begins anew. */
export class Walk {
  readonly #store: Pick<KeyStore, 'page'>;
  readonly #prefix: string;
  readonly #limit: number;
  #after: string | undefined;

  constructor(store: Pick<KeyStore, 'page'>, prefix: string, limit: number) {
    this.#store = store;
    this.#prefix = prefix;
    this.#limit = limit;
  }

  /** The next page, keys only; `atEnd`: the next one will be the first again. */
  async next(): Promise<{ readonly entries: readonly Entry[]; readonly atEnd: boolean }> {
    const { entries, more }: Page = await this.#store.page(this.#prefix, {
      after: this.#after,
      limit: this.#limit,
      keysOnly: true,
    });
    this.#after = more ? entries.at(-1)?.key : undefined;
    return { entries, atEnd: !more };
  }

  restart(): void {
    this.#after = undefined;
  }
}

/** More than this is observed later, when some of it is gone. */
const maxKeys = 200_000;

interface Sighting {
  readonly revision: bigint;
  /** Monotonic ms. */
  readonly since: number;
  pass: number;
}

/**
 * For how long keys have stayed as they are, by our own monotonic clock: no clock of another machine says anything about
 * whether somebody has abandoned what he began.
 */
export class Observed {
  readonly #sightings = new Map<string, Sighting>();
  #pass = 0;

  /** How long this key has been seen with this revision; 0 the first time. */
  see(key: string, revision: bigint): number {
    const now = performance.now();
    const before = this.#sightings.get(key);
    if (before?.revision === revision) {
      before.pass = this.#pass;
      return now - before.since;
    }
    if (before !== undefined || this.#sightings.size < maxKeys)
      this.#sightings.set(key, { revision, since: now, pass: this.#pass });
    return 0;
  }

  /** All keys have been walked through: what was not seen on the way is gone. */
  endPass(): void {
    for (const [key, { pass }] of this.#sightings) if (pass !== this.#pass) this.#sightings.delete(key);
    this.#pass++;
  }
}
