export interface Rate {
  /** Tokens that may be spent at once. */
  readonly burst: number;
  readonly perSecond: number;
}

/** Tokens: a burst at once, and so many a second. A bucket may be overdrawn; then nothing is spent until the debt is paid. */
export class TokenBucket {
  readonly #rate: Rate;
  readonly #now: () => number;
  #left: number;
  #at: number;

  /** `now`: monotonic ms. */
  constructor(rate: Rate, now: () => number) {
    this.#rate = rate;
    this.#now = now;
    this.#left = rate.burst;
    this.#at = now();
  }

  get isFull(): boolean {
    return this.#grown() >= this.#rate.burst;
  }

  spend(tokens: number): void {
    this.#left = this.#grown() - tokens;
  }

  /** How long until it has so many tokens. ms; 0: it has them. */
  msUntil(tokens: number): number {
    return Math.max(0, ((tokens - this.#grown()) / this.#rate.perSecond) * 1_000);
  }

  #grown(): number {
    const now = this.#now();
    this.#left = Math.min(this.#rate.burst, this.#left + ((now - this.#at) / 1_000) * this.#rate.perSecond);
    this.#at = now;
    return this.#left;
  }
}

/** Between two searches for buckets that are full again. ms. */
const pruneEveryMs = 60_000;

/** One bucket of each name. Only a full one is forgotten, so nobody gets a new bucket by using other names. */
export class TokenBuckets {
  readonly #rate: Rate;
  readonly #now: () => number;
  readonly #buckets = new Map<string, TokenBucket>();
  #prunedAt: number;

  /** `now`: monotonic ms. */
  constructor(rate: Rate, now: () => number) {
    this.#rate = rate;
    this.#now = now;
    this.#prunedAt = now();
  }

  of(name: string): TokenBucket {
    this.#prune();
    const bucket = this.#buckets.get(name) ?? new TokenBucket(this.#rate, this.#now);
    this.#buckets.set(name, bucket);
    return bucket;
  }

  #prune(): void {
    const now = this.#now();
    if (now - this.#prunedAt < pruneEveryMs) return;
    this.#prunedAt = now;
    for (const [name, bucket] of this.#buckets) if (bucket.isFull) this.#buckets.delete(name);
  }
}
