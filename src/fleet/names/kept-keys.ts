import type { Entry, Lease, Write } from '../../store/key-store.ts';
import type { Presence } from '../presence.ts';

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
