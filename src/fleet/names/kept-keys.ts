import type { Entry, KeyStore, Lease, Write } from '../../store/key-store.ts';
import type { Presence } from './ports.ts';

/** Changes are written at most this often; the last one always is. */
const minWriteIntervalMs = 1_000;

export type LeasedPut = Extract<Write, { readonly put: string }>;

/** One key that the holder of a name keeps: written anew after a change, on a new lease, and when it is not as it was written. */
export class KeptKey implements Presence {
  readonly key: string;
  readonly #value: () => string;
  readonly #onStale: () => void;
  readonly #onClose: (kept: KeptKey) => Promise<void>;
  #isStale = true;
  #writtenRevision: bigint | undefined;
  #writtenAt = Number.NEGATIVE_INFINITY;

  constructor(key: string, value: () => string, onStale: () => void, onClose: (kept: KeptKey) => Promise<void>) {
    this.key = key;
    this.#value = value;
    this.#onStale = onStale;
    this.#onClose = onClose;
  }

  refresh(): void {
    if (this.#isStale) return;
    this.#isStale = true;
    this.#onStale();
  }

  close(): Promise<void> {
    return this.#onClose(this);
  }

  /** It is to be written at the next opportunity: nothing is known of what etcd has. */
  forget(): void {
    this.#isStale = true;
    this.#writtenRevision = undefined;
    this.#writtenAt = Number.NEGATIVE_INFINITY;
  }

  /** What is to be written now, `there` being what etcd has, its value aside; to be followed by `wrote` or `forget`. */
  due(there: Entry | undefined, lease: Lease): LeasedPut | undefined {
    if (there === undefined || there.modRevision !== this.#writtenRevision) this.#isStale = true;
    if (!this.#isStale || this.untilDueMs() > 0) return undefined;
    // Before the value is asked for: what changes from now on is another change.
    this.#isStale = false;
    this.#writtenAt = performance.now();
    return { put: this.key, value: this.#value(), lease };
  }

  wrote(revision: bigint): void {
    this.#writtenRevision = revision;
  }

  /** Until it may be written; infinite when nothing has changed. ms. */
  untilDueMs(): number {
    if (!this.#isStale) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#writtenAt + minWriteIntervalMs - performance.now());
  }
}

/** A key that is to be written now. */
export interface DueKey {
  readonly kept: KeptKey;
  readonly put: LeasedPut;
}

/** All keys that the holder of a name keeps. */
export class KeptKeys {
  readonly #onStale: () => void;
  readonly #onClose: (kept: KeptKey) => Promise<void>;
  readonly #kept = new Set<KeptKey>();

  constructor(onStale: () => void, onClose: (kept: KeptKey) => Promise<void>) {
    this.#onStale = onStale;
    this.#onClose = onClose;
  }

  add(key: string, value: () => string): KeptKey {
    const kept = new KeptKey(key, value, this.#onStale, this.#onClose);
    this.#kept.add(kept);
    return kept;
  }

  delete(kept: KeptKey): void {
    this.#kept.delete(kept);
  }

  /** Nothing is known of what etcd has of any of them. */
  forget(): void {
    for (const kept of this.#kept) kept.forget();
  }

  /** What etcd has of them, without their values, which may be long; of one it is known. */
  async read(
    store: Pick<KeyStore, 'page'>,
    known: KeptKey,
    entry: Entry | undefined,
  ): Promise<ReadonlyMap<KeptKey, Entry | undefined>> {
    const seen = new Map<KeptKey, Entry | undefined>([[known, entry]]);
    for (const kept of this.#kept) if (kept !== known) seen.set(kept, await entryOf(store, kept.key));
    return seen;
  }

  untilDueMs(): number {
    return Math.min(...[...this.#kept].map((kept) => kept.untilDueMs()));
  }
}

export const dueOf = (seen: ReadonlyMap<KeptKey, Entry | undefined>, lease: Lease): DueKey[] =>
  [...seen].flatMap(([kept, there]) => {
    const put = kept.due(there, lease);
    return put === undefined ? [] : [{ kept, put }];
  });

const entryOf = async (store: Pick<KeyStore, 'page'>, key: string): Promise<Entry | undefined> => {
  const { entries } = await store.page(key, { limit: 1, keysOnly: true });
  return entries.find((entry) => entry.key === key);
};
