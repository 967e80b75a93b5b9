import type { Firing } from '../domain/firing.ts';
import type { JobRequest } from '../domain/job.ts';
import type { Acceptance } from '../queue/ports.ts';

/**
 * The key-value store as this room needs it. Every call has a deadline and throws `etcd-unreachable`, `etcd-refused` or
 * `etcd-no-space`; a retried call may have been applied, so every write carries ids by which it is recognised.
 */
export interface KeyStore {
  get(key: string): Promise<Entry | undefined>;
  /** All keys with this prefix at one revision, read in pages. */
  list(prefix: string): Promise<Listing>;
  /** Keys with this prefix, newest create revision first, at most `limit`. */
  newest(prefix: string, limit: number): Promise<Entry[]>;
  commit(transaction: Transaction): Promise<Commit>;
  /**
   * Events of all keys with this prefix from `fromRevision` on, in order, each once. Ends by throwing: any trouble
   * (connection, no leader, compaction, auth) is an error, after which the caller lists again. Ends quietly when `signal` aborts.
   * The first batch is always an empty one: it says that the watch is established.
   */
  watch(prefix: string, fromRevision: bigint, signal: AbortSignal): AsyncIterable<WatchBatch>;
  /** Keeps `key` with the value that `value()` gives for as long as the lease lives, and gets a new lease when it is lost. */
  keepPresent(key: string, value: () => string): Presence;
}

export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly createRevision: bigint;
  readonly modRevision: bigint;
}

export interface Listing {
  readonly entries: readonly Entry[];
  /** The store's revision that the listing shows; watch from the next one. */
  readonly revision: bigint;
  readonly clusterId: string;
}

export interface Transaction {
  readonly compare: readonly Compare[];
  readonly write: readonly Write[];
  /** Keys that are read when the compare fails. */
  readonly otherwiseGet?: readonly string[];
}
export type Compare = { readonly key: string; readonly is: 'present' | 'absent' };
export type Write =
  | { readonly put: string; readonly value: string }
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

export interface Presence {
  /** Writes the value again, soon. */
  refresh(): void;
  close(): Promise<void>;
}

/** The queue side of accepting a firing; journalled when a method returns. */
export interface Intake {
  accept(firing: Firing, request: JobRequest): Acceptance;
  refuse(firing: Firing, reason: string): void;
}

/** Decides what a firing may start here: the local allow-list and `run_cmd`. */
export type DecideJob = (firing: Firing) => { readonly request: JobRequest } | { readonly refusal: string };
