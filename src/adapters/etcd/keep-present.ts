import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../domain/log.ts';
import { retryDelayMs, storeRetry } from '../../domain/retry.ts';
import type { Presence } from '../../watch/ports.ts';
import { isLeaseGone } from './cast-error.ts';
import type { Endpoints } from './endpoints.ts';
import { grantLease, keepAliveOnce, putWithLease, revokeLease } from './leases.ts';

/** Changes are written at most this often; the last one always is. */
const minWriteIntervalMs = 1_000;

interface Lease {
  readonly id: string;
  /** Monotonic time of etcd's last word that it lives. */
  confirmedAt: number;
}

/**
 * Keeps a key alive by a lease. One loop: *without a lease* it gets one and writes the key; *with a lease* it confirms
 * the lease every third of its life and writes the key when asked to. The lease counts as lost when etcd says so or when
 * its time is over by our own clock, whichever comes first; then the loop is without a lease again.
 */
export class KeptKey implements Presence {
  readonly #endpoints: Endpoints;
  readonly #key: string;
  readonly #value: () => string;
  readonly #ttlMs: number;
  readonly #log: Log;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #lease: Lease | undefined;
  #isStale = false;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #wake = new AbortController();

  constructor(endpoints: Endpoints, key: string, value: () => string, ttlS: number, log: Log) {
    this.#endpoints = endpoints;
    this.#key = key;
    this.#value = value;
    this.#ttlMs = ttlS * 1_000;
    this.#log = log;
    this.#running = this.#run();
  }

  refresh(): void {
    if (this.#isStale) return;
    this.#isStale = true;
    if (this.#failures === 0) this.#wake.abort();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#running;
    const lease = this.#lease;
    this.#lease = undefined;
    // Out of reach of etcd the key goes with its lease, a little later.
    if (lease) await revokeLease(this.#endpoints, lease.id).catch(() => undefined);
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#step();
        this.#noteSuccess();
        await this.#pause(this.#untilNextStepMs());
      } catch (error) {
        this.#noteFailure(error);
        await this.#pause(retryDelayMs(storeRetry, this.#failures));
      }
    }
  }

  async #step(): Promise<void> {
    const now = performance.now();
    if (this.#lease && now - this.#lease.confirmedAt >= this.#ttlMs) this.#lease = undefined;
    if (this.#lease === undefined) {
      const id = await grantLease(this.#endpoints, this.#ttlMs / 1_000);
      this.#lease = { id, confirmedAt: now };
      this.#isStale = true;
      this.#writtenAt = Number.NEGATIVE_INFINITY;
    } else if (now - this.#lease.confirmedAt >= this.#ttlMs / 3) {
      await keepAliveOnce(this.#endpoints, this.#lease.id);
      this.#lease.confirmedAt = now;
    }
    if (this.#isStale && now - this.#writtenAt >= minWriteIntervalMs) await this.#write(this.#lease.id);
  }

  async #write(leaseId: string): Promise<void> {
    this.#isStale = false;
    try {
      await putWithLease(this.#endpoints, this.#key, this.#value(), leaseId);
      this.#writtenAt = performance.now();
    } catch (error) {
      this.#isStale = true;
      throw error;
    }
  }

  #untilNextStepMs(): number {
    const confirmDueAt = (this.#lease?.confirmedAt ?? 0) + this.#ttlMs / 3;
    const writeDueAt = this.#isStale ? this.#writtenAt + minWriteIntervalMs : Number.POSITIVE_INFINITY;
    return Math.max(1, Math.min(confirmDueAt, writeDueAt) - performance.now());
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#wake = new AbortController();
    await sleep(ms, undefined, { signal: this.#wake.signal }).catch(() => undefined);
  }

  #noteSuccess(): void {
    if (this.#failures > 0) this.#log.info({ key: this.#key }, 'This node is present in etcd again.');
    this.#failures = 0;
  }

  #noteFailure(error: unknown): void {
    if (isLeaseGone(error)) this.#lease = undefined;
    if (this.#failures++ === 0)
      this.#log.warn({ key: this.#key, error }, 'This node’s presence can not be kept in etcd; trying again.');
  }
}
