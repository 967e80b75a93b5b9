import type {
  Commit,
  Entry,
  HeldKey,
  KeyStore,
  Lease,
  Listing,
  Page,
  PageRequest,
  Transaction,
  WatchBatch,
} from '../../store/key-store.ts';
import { defaultTiming, type EtcdOptions } from './client.ts';
import { Endpoints } from './endpoints.ts';
import { LeasedKey, RenewedLease } from './leases.ts';
import { countOf, getKey, getKeys, listPrefix, newestOf, pageOf } from './ranges.ts';
import { commitTransaction } from './transactions.ts';
import { nextValueOf, watchPrefix } from './watch.ts';

/** `KeyStore` on a real etcd. It connects with the first call and again after every failure. */
export class EtcdStore implements KeyStore {
  readonly #options: EtcdOptions;
  readonly #endpoints: Endpoints;
  readonly #closing = new AbortController();
  readonly #leases = new Set<Lease>();

  constructor(options: EtcdOptions) {
    this.#options = options;
    this.#endpoints = new Endpoints(options);
  }

  get(key: string): Promise<Entry | undefined> {
    return getKey(this.#endpoints, key);
  }

  getMany(keys: readonly string[]): Promise<(Entry | undefined)[]> {
    return getKeys(this.#endpoints, keys);
  }

  list(prefix: string): Promise<Listing> {
    return listPrefix(this.#endpoints, prefix);
  }

  newest(prefix: string, limit: number): Promise<Entry[]> {
    return newestOf(this.#endpoints, prefix, limit);
  }

  page(prefix: string, request: PageRequest): Promise<Page> {
    return pageOf(this.#endpoints, prefix, request);
  }

  count(prefix: string): Promise<number> {
    return countOf(this.#endpoints, prefix);
  }

  commit(transaction: Transaction): Promise<Commit> {
    return commitTransaction(this.#endpoints, transaction);
  }

  watch(prefix: string, fromRevision: bigint, signal: AbortSignal): AsyncIterable<WatchBatch> {
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    return watchPrefix(this.#endpoints, this.#options, prefix, fromRevision, ended);
  }

  nextValue(key: string, fromRevision: bigint, signal: AbortSignal): Promise<Entry | undefined> {
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    return nextValueOf(this.#endpoints, this.#options, key, fromRevision, ended);
  }

  async lease(ttlS: number): Promise<Lease> {
    const lease = await RenewedLease.grant(this.#endpoints, ttlS);
    this.#leases.add(lease);
    lease.lost.addEventListener('abort', () => this.#leases.delete(lease), { once: true });
    return lease;
  }

  holdKey(key: string, value: string): Promise<HeldKey | undefined> {
    const { heldTtlS } = { ...defaultTiming, ...this.#options.timing };
    return LeasedKey.take(this.#endpoints, key, value, heldTtlS);
  }

  /** Ends watches, revokes leases, then closes the connections. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#leases].map((lease) => lease.end()));
    this.#endpoints.close();
  }
}

/** Opens nothing yet: etcd may be away. */
export const connect = (options: EtcdOptions): EtcdStore => new EtcdStore(options);
