import { EtcdLeaseInvalidError, type ILeaseKeepAliveResponse } from 'etcd3';
import type { Fence, HeldKey, Lease } from '../../store/key-store.ts';
import { isLeaseGone } from './cast-error.ts';
import type { Endpoints } from './endpoints.ts';
import { toCompare } from './transactions.ts';

/** A new lease's id. */
const grantLease = async (endpoints: Endpoints, ttlS: number): Promise<string> => {
  const { ID } = await endpoints.call('grant a lease', (client, options) =>
    client.leaseClient.leaseGrant({ TTL: ttlS }, options),
  );
  return ID;
};

/** Creates a key on a lease and gives its create revision; undefined when somebody else's is there. */
const createWithLease = async (
  endpoints: Endpoints,
  key: string,
  value: string,
  lease: string,
): Promise<bigint | undefined> => {
  const name = Buffer.from(key);
  const request = {
    compare: [toCompare({ key, is: 'absent' })],
    success: [{ request_put: { key: name, value: Buffer.from(value), lease } }],
    failure: [{ request_range: { key: name } }],
  };
  const answer = await endpoints.call(`create ${key}`, (client, options) => client.kv.txn(request, options));
  if (answer.succeeded) return BigInt(answer.header.revision);
  // A first try of this call may have been applied and its answer lost.
  const there = answer.responses[0]?.response_range.kvs[0];
  return there?.lease === lease ? BigInt(there.create_revision) : undefined;
};

/**
 * Renews a lease once, on a stream of its own: etcd offers no other call, and etcd3's own keepalive declares a loss only
 * after twice the lease's life. Fails with `isLeaseGone` when etcd no longer knows the lease.
 */
const keepAliveOnce = async (endpoints: Endpoints, lease: string): Promise<void> => {
  await endpoints.call('renew a lease', async (client, options) => {
    const stream = await client.leaseClient.leaseKeepAlive(options);
    try {
      const answer = await new Promise<ILeaseKeepAliveResponse>((resolve, reject) => {
        stream.on('data', resolve);
        stream.on('error', reject);
        stream.on('end', () => reject(new Error('etcd ended the stream')));
        stream.write({ ID: lease });
      });
      if (Number(answer.TTL) <= 0) throw new EtcdLeaseInvalidError(lease);
    } finally {
      stream.cancel();
    }
  });
};

const revokeLease = async (endpoints: Endpoints, lease: string): Promise<void> => {
  await endpoints.call('revoke a lease', (client, options) => client.leaseClient.leaseRevoke({ ID: lease }, options));
};

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

/** A key that exists for as long as this process renews its lease, and that nobody else can have meanwhile. */
export class LeasedKey implements HeldKey {
  readonly fence: Fence;
  readonly #lease: RenewedLease;

  /** Undefined when somebody else has the key. */
  static async take(endpoints: Endpoints, key: string, value: string, ttlS: number): Promise<LeasedKey | undefined> {
    const lease = await RenewedLease.grant(endpoints, ttlS);
    try {
      const createRevision = await createWithLease(endpoints, key, value, lease.id);
      if (createRevision !== undefined) return new LeasedKey({ key, createRevision }, lease);
    } catch (error) {
      await lease.end();
      throw error;
    }
    await lease.end();
    return undefined;
  }

  private constructor(fence: Fence, lease: RenewedLease) {
    this.fence = fence;
    this.#lease = lease;
  }

  get lost(): AbortSignal {
    return this.#lease.lost;
  }

  isHeld(): boolean {
    return this.#lease.isHeld();
  }

  release(): Promise<void> {
    return this.#lease.end();
  }
}
