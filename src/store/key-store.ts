/**
 * The key-value store as this room needs it. Every call has a deadline and throws `etcd-unreachable`, `etcd-refused` or
 * `etcd-no-space`; a retried call may have been applied, so every write carries ids by which it is recognised.
 */
export interface KeyStore {
  get(key: string): Promise<Entry | undefined>;
  /** What is at each of these keys, 128 at most, in their order and at one revision unless their values are very large. */
  getMany(keys: readonly string[]): Promise<(Entry | undefined)[]>;
  /** All keys with this prefix at one revision, read in pages. */
  list(prefix: string): Promise<Listing>;
  /** Keys with this prefix, newest create revision first, at most `limit`. */
  newest(prefix: string, limit: number): Promise<Entry[]>;
  /** One page of the keys with this prefix, in the order of the keys: what a walk through very many needs. */
  page(prefix: string, request: PageRequest): Promise<Page>;
  /** How many keys have this prefix. */
  count(prefix: string): Promise<number>;
  commit(transaction: Transaction): Promise<Commit>;
  /**
   * Events of all keys with this prefix from `fromRevision` on, in order, each once. Ends by throwing: any trouble
   * (connection, no leader, compaction, auth) is an error, after which the caller lists again. Ends quietly when `signal` aborts.
   * The first batch is always an empty one: it says that the watch is established.
   */
  watch(prefix: string, fromRevision: bigint, signal: AbortSignal): AsyncIterable<WatchBatch>;
  /**
   * The next value of one key from `fromRevision` on: a cheap wait for something that will soon be there. Undefined when
   * `signal` aborts. Any trouble is an error, as with `watch`.
   */
  nextValue(key: string, fromRevision: bigint, signal: AbortSignal): Promise<Entry | undefined>;
  /** A new lease of so many seconds, which is renewed until its end. */
  lease(ttlS: number): Promise<Lease>;
  /** Creates `key` on a lease, and renews that; undefined while somebody else has the key. */
  holdKey(key: string, value: string): Promise<HeldKey | undefined>;
}

export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly createRevision: bigint;
  readonly modRevision: bigint;
  /** It goes with a lease; otherwise it stays until somebody deletes it. */
  readonly isLeased: boolean;
}

export interface Listing {
  readonly entries: readonly Entry[];
  /** The store's revision that the listing shows; watch from the next one. */
  readonly revision: bigint;
  readonly clusterId: string;
}

export interface PageRequest {
  /** Begins behind this key; without it, at the first. */
  readonly after?: string | undefined;
  readonly limit: number;
  /** The values stay behind, and are empty. */
  readonly keysOnly?: boolean;
}

export interface Page {
  readonly entries: readonly Entry[];
  /** Whether there are keys behind the last one. */
  readonly more: boolean;
}

export interface Transaction {
  readonly compare: readonly Compare[];
  readonly write: readonly Write[];
  /** Keys that are read when the compare fails. */
  readonly otherwiseGet?: readonly string[];
}

/** That this very key is there still: nobody has deleted it, nor created it anew. */
export interface Fence {
  readonly key: string;
  readonly createRevision: bigint;
}

/** A revision of 0 is that of a key that is not there. */
export type Compare =
  | { readonly key: string; readonly is: 'present' | 'absent' }
  | Fence
  | { readonly key: string; readonly modRevision: bigint };

export type Write =
  /** On a lease the key lives no longer than that; without one, until somebody deletes it, whatever it was put on before. */
  | { readonly put: string; readonly value: string; readonly lease?: Lease | undefined }
  | { readonly delete: string }
  | { readonly deletePrefix: string };

export interface Commit {
  readonly succeeded: boolean;
  readonly revision: bigint;
  readonly read: readonly Entry[];
}

export interface WatchBatch {
  readonly events: readonly WatchEvent[];
  /** Everything up to and including this revision has been delivered. */
  readonly revision: bigint;
}

export type WatchEvent =
  | { readonly kind: 'put'; readonly entry: Entry }
  | { readonly kind: 'delete'; readonly key: string; readonly modRevision: bigint };

/** What keys can be put on. It is no mutual exclusion: see `HeldKey`. */
export interface Lease {
  readonly id: string;
  /** Aborted as soon as the lease may be over by our own monotonic clock, or is known to be. */
  readonly lost: AbortSignal;
  /** The same, also when nothing of this process has run for a while and no timer could fire. */
  isHeld(): boolean;
  /** Its keys vanish; out of reach of etcd they do so when its time has ended. */
  end(): Promise<void>;
  /** Renews it no more: its keys live until its time has ended. */
  leave(): void;
}

/**
 * A key that only one can hold. A lease is no mutual exclusion: whoever was frozen for longer than it still believes in
 * it. So every write that only the elected one may do compares `fence`, which no later holder's key satisfies.
 */
export interface HeldKey {
  readonly fence: Fence;
  /** Aborted as soon as the lease may be over by our own monotonic clock, or is known to be. */
  readonly lost: AbortSignal;
  /** The same, also when nothing of this process has run for a while and no timer could fire. */
  isHeld(): boolean;
  /** Gives the key up. */
  release(): Promise<void>;
}
