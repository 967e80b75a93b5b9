import { TriggerdError } from '../../src/domain/errors.ts';
import type {
  Commit,
  Compare,
  Entry,
  HeldKey,
  KeyStore,
  Lease,
  Listing,
  Page,
  PageRequest,
  Transaction,
  WatchBatch,
  WatchEvent,
  Write,
} from '../../src/store/key-store.ts';

/** etcd's promises without etcd, for unit tests; the contract suite runs on both. */
export class MemoryStore implements KeyStore {
  readonly #entries = new Map<string, Entry>();
  readonly #history: { readonly revision: bigint; readonly events: readonly WatchEvent[] }[] = [];
  readonly #listeners = new Set<() => void>();
  /** Which lease a key is on. */
  readonly #leased = new Map<string, string>();
  #leases = 0;
  readonly #held = new Map<string, AbortController>();
  #revision = 1n;
  #compacted = 0n;
  clusterId = 'memory';
  /** When set, every call fails with it. */
  outage: TriggerdError | undefined;
  /** Called before each commit; may throw, also after having let it happen. */
  beforeCommit: ((transaction: Transaction) => void) | undefined;

  async get(key: string): Promise<Entry | undefined> {
    this.#assertUp();
    return this.#entries.get(key);
  }

  getMany(keys: readonly string[]): Promise<(Entry | undefined)[]> {
    return Promise.all(keys.map((key) => this.get(key)));
  }

  async list(prefix: string): Promise<Listing> {
    this.#assertUp();
    return { entries: this.#below(prefix), revision: this.#revision, clusterId: this.clusterId };
  }

  async newest(prefix: string, limit: number): Promise<Entry[]> {
    this.#assertUp();
    const newestFirst = (a: Entry, b: Entry) => Number(b.createRevision - a.createRevision);
    return this.#below(prefix).sort(newestFirst).slice(0, limit);
  }

  async page(prefix: string, { after, limit, keysOnly = false }: PageRequest): Promise<Page> {
    this.#assertUp();
    const entries = this.#below(prefix).filter(({ key }) => after === undefined || key > after);
    const page = entries.slice(0, limit).map((entry) => (keysOnly ? { ...entry, value: '' } : entry));
    return { entries: page, more: entries.length > limit };
  }

  async count(prefix: string): Promise<number> {
    this.#assertUp();
    return this.#below(prefix).length;
  }

  async commit(transaction: Transaction): Promise<Commit> {
    this.#assertUp();
    this.beforeCommit?.(transaction);
    const { compare, write, otherwiseGet = [] } = transaction;
    if (Math.max(compare.length, write.length, otherwiseGet.length) > 128)
      throw new TriggerdError('etcd-refused', 'etcdserver: too many operations in txn request');
    const succeeded = compare.every((each) => this.#holds(each));
    if (succeeded) this.#apply(write);
    const read = succeeded ? [] : otherwiseGet.flatMap((key) => this.#entries.get(key) ?? []);
    return { succeeded, revision: this.#revision, read };
  }

  async *watch(prefix: string, fromRevision: bigint, signal: AbortSignal): AsyncGenerator<WatchBatch, void, undefined> {
    this.#assertUp();
    yield { events: [], revision: fromRevision - 1n };
    if (fromRevision <= this.#compacted)
      throw new TriggerdError('etcd-unreachable', 'watch: compacted', {
        details: { compactRevision: Number(this.#compacted) },
      });
    let next = fromRevision;
    while (!signal.aborted) {
      this.#assertUp();
      for (const { revision, events } of this.#history.filter((change) => change.revision >= next)) {
        next = revision + 1n;
        const seen = events.filter((event) => (event.kind === 'put' ? event.entry.key : event.key).startsWith(prefix));
        if (seen.length > 0) yield { events: seen, revision };
      }
      if (!this.#history.some((change) => change.revision >= next)) await this.#nextChange(signal);
    }
  }

  async nextValue(key: string, fromRevision: bigint, signal: AbortSignal): Promise<Entry | undefined> {
    for await (const { events } of this.watch(key, fromRevision, signal))
      for (const event of events) if (event.kind === 'put' && event.entry.key === key) return event.entry;
    return undefined;
  }

  async lease(): Promise<Lease> {
    this.#assertUp();
    const lost = new AbortController();
    const id = String(++this.#leases);
    const end = async () => {
      lost.abort();
      const keys = [...this.#leased].flatMap(([key, lease]) => (lease === id ? [key] : []));
      this.#apply(keys.map((key) => ({ delete: key })));
    };
    return { id, lost: lost.signal, isHeld: () => !lost.signal.aborted, end, leave: () => lost.abort() };
  }

  async holdKey(key: string, value: string): Promise<HeldKey | undefined> {
    this.#assertUp();
    if (this.#entries.has(key)) return undefined;
    this.#apply([{ put: key, value }]);
    const lost = new AbortController();
    this.#held.set(key, lost);
    const release = async () => {
      if (!lost.signal.aborted) this.endLease(key);
    };
    const fence = { key, createRevision: this.#revision };
    return { fence, lost: lost.signal, isHeld: () => !lost.signal.aborted, release };
  }

  /** Takes a held key away. `unnoticed`: its holder is frozen and does not know. */
  endLease(key: string, unnoticed = false): void {
    this.#apply([{ delete: key }]);
    if (!unnoticed) this.#held.get(key)?.abort();
  }

  /** Ends every watch with an error at its next turn, and fails every call until `outage` is cleared. */
  fail(error: TriggerdError): void {
    this.outage = error;
    for (const wake of this.#listeners) wake();
  }

  compact(): void {
    this.#compacted = this.#revision;
    this.#history.length = 0;
  }

  #apply(writes: readonly Write[]): void {
    const revision = this.#revision + 1n;
    const events = writes.flatMap((write) => this.#write(write, revision));
    if (events.length === 0) return;
    this.#revision = revision;
    this.#history.push({ revision, events });
    for (const wake of this.#listeners) wake();
  }

  #write(write: Write, revision: bigint): WatchEvent[] {
    if ('put' in write) {
      if (write.lease === undefined) this.#leased.delete(write.put);
      else this.#leased.set(write.put, write.lease.id);
      const createRevision = this.#entries.get(write.put)?.createRevision ?? revision;
      const isLeased = write.lease !== undefined;
      const entry = { key: write.put, value: write.value, createRevision, modRevision: revision, isLeased };
      this.#entries.set(write.put, entry);
      return [{ kind: 'put', entry }];
    }
    const keys = 'delete' in write ? [write.delete] : this.#below(write.deletePrefix).map((entry) => entry.key);
    return keys
      .filter((key) => this.#entries.delete(key))
      .map((key) => ({ kind: 'delete', key, modRevision: revision }));
  }

  #holds(compare: Compare): boolean {
    const entry = this.#entries.get(compare.key);
    if ('createRevision' in compare) return (entry?.createRevision ?? 0n) === compare.createRevision;
    if ('modRevision' in compare) return (entry?.modRevision ?? 0n) === compare.modRevision;
    return (entry !== undefined) === (compare.is === 'present');
  }

  #below(prefix: string): Entry[] {
    const below = [...this.#entries.values()].filter((entry) => entry.key.startsWith(prefix));
    return below.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  #nextChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const wake = () => {
        this.#listeners.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#listeners.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  #assertUp(): void {
    if (this.outage) throw this.outage;
  }
}
