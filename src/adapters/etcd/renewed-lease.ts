import type { Lease } from '../../store/key-store.ts';
import { isLeaseGone } from './cast-error.ts';
import type { Endpoints } from './endpoints.ts';
import { grantLease, keepAliveOnce, revokeLease } from './leases.ts';

/** The part of a lease's life in which we no longer trust it: our clock and etcd's need not run alike. */
const margin = 0.2;

/**
 * A lease that this process renews every quarter of its life. *Held* from its grant on; *lost*, once and for good, when
 * etcd says so or when four fifths of its life have passed since the last renewal was asked for.
 */
export class RenewedLease implements Lease {
  readonly id: string;
  readonly #endpoints: Endpoints;
  readonly #ttlMs: number;
  readonly #lost = new AbortController();
  #deadline: number;
  #timer: NodeJS.Timeout | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;

  /** Throws the store's errors. */
  static async grant(endpoints: Endpoints, ttlS: number): Promise<RenewedLease> {
    const askedAt = performance.now();
    return new RenewedLease(endpoints, await grantLease(endpoints, ttlS), ttlS * 1_000, askedAt);
  }

  private constructor(endpoints: Endpoints, id: string, ttlMs: number, askedAt: number) {
    this.#endpoints = endpoints;
    this.id = id;
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

  async end(): Promise<void> {
    this.#lose();
    // Out of reach of etcd its keys go with it, a little later.
    await revokeLease(this.#endpoints, this.id).catch(() => undefined);
  }

  leave(): void {
    this.#lose();
  }

  #renewLater(): void {
    this.#timer = setTimeout(() => void this.#renew(), this.#ttlMs / 4);
  }

  async #renew(): Promise<void> {
    const askedAt = performance.now();
    try {
      await keepAliveOnce(this.#endpoints, this.id);
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
