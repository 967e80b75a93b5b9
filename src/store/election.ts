import type { Entry, Fence, HeldKey, KeyStore, Transaction } from './key-store.ts';

/** Somebody else is elected now, or soon will: whoever meets this stops at once. Nothing was written. */
export class FenceLost extends Error {
  override readonly name = 'FenceLost';
}

/** Throws `FenceLost` unless the key that is stored now is the one that we were given. */
export const assertFence = (fence: Fence, stored: Entry | undefined): void => {
  if (stored?.createRevision !== fence.createRevision) throw new FenceLost(`${fence.key} is no longer ours`);
};

/** Writes of one who is elected. Each proves twice that it still is: by our own clock, and in etcd. */
export class Election {
  readonly #store: Pick<KeyStore, 'commit'>;
  readonly #held: HeldKey;

  constructor(store: Pick<KeyStore, 'commit'>, held: HeldKey) {
    this.#store = store;
    this.#held = held;
  }

  /** For others who write on our behalf. Throws `FenceLost`. */
  get fence(): Fence {
    if (!this.#held.isHeld()) throw new FenceLost(`the lease of ${this.#held.fence.key} may be over`);
    return this.#held.fence;
  }

  /** Whether the compares held, all in one transaction with the fence. Throws `FenceLost` and the store's errors. */
  async commit({ compare, write }: Pick<Transaction, 'compare' | 'write'>): Promise<boolean> {
    const { fence } = this;
    const commit = await this.#store.commit({ compare: [fence, ...compare], write, otherwiseGet: [fence.key] });
    if (!commit.succeeded) assertFence(fence, commit.read[0]);
    return commit.succeeded;
  }
}
