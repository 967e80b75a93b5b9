import type { Fence, HeldKey } from '../../watch/ports.ts';
import { isLeaseGone } from './cast-error.ts';
import type { Endpoints } from './endpoints.ts';
import { createWithLease, grantLease, keepAliveOnce, revokeLease } from './leases.ts';

/** The part of a lease's life in which we no longer trust it: our clock and etcd's need not run alike. */
const margin = 0.2;

/**
 * A key that exists for as long as this process renews its lease. *Held* from its creation on; renewed every quarter of
 * the lease's life; *lost*, once and for good, when etcd says so or when four fifths of that life have passed since the
 * last renewal was asked for.
 */
export class LeasedKey implements HeldKey {
  readonly fence: Fence;
  readonly #endpoints: Endpoints;
  readonly #lease: string;
  readonly #ttlMs: number;
  readonly #lost = new AbortController();
  #deadline: number;
  #timer: NodeJS.Timeout | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;

  /** Undefined when somebody else has the key. */
  static async take(endpoints: Endpoints, key: string, value: string, ttlS: number): Promise<LeasedKey | undefined> {
    const askedAt = performance.now();
    const lease = await grantLease(endpoints, ttlS);
    try {
      const createRevision = await createWithLease(endpoints, key, value, lease);
      if (createRevision !== undefined)
        return new LeasedKey(endpoints, { key, createRevision }, lease, ttlS * 1_000, askedAt);
    } catch (error) {
      await revokeLease(endpoints, lease).catch(() => undefined);
      throw error;
    }
    await revokeLease(endpoints, lease).catch(() => undefined);
    return undefined;
  }

  private constructor(endpoints: Endpoints, fence: Fence, lease: string, ttlMs: number, askedAt: number) {
    this.#endpoints = endpoints;
    this.fence = fence;
    this.#lease = lease;
    this.#ttlMs = ttlMs;
    this.#deadline = askedAt;
    this.#trustSince(askedAt);
    this.#renewLater();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  isHeld(): boolean {
    if (performance.now() >= this.#deadline) this.#lose();
    return !this.#lost.signal.aborted;
  }

  async release(): Promise<void> {
    this.#lose();
    // Out of reach of etcd the key goes with its lease, a little later.
    await revokeLease(this.#endpoints, this.#lease).catch(() => undefined);
  }

  #renewLater(): void {
    this.#timer = setTimeout(() => void this.#renew(), this.#ttlMs / 4);
  }

  async #renew(): Promise<void> {
    const askedAt = performance.now();
    try {
      await keepAliveOnce(this.#endpoints, this.#lease);
      if (this.isHeld()) this.#trustSince(askedAt);
    } catch (error) {
      if (isLeaseGone(error)) this.#lose();
    }
    if (this.isHeld()) this.#renewLater();
  }

  #trustSince(askedAt: number): void {
    this.#deadline = askedAt + this.#ttlMs * (1 - margin);
    clearTimeout(this.#deadlineTimer);
    this.#deadlineTimer = setTimeout(() => this.isHeld(), Math.max(0, this.#deadline - performance.now()) + 1);
  }

  #lose(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#deadlineTimer);
    this.#lost.abort();
  }
}
