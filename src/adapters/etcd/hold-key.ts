import type { Fence, HeldKey } from '../../store/key-store.ts';
import type { Endpoints } from './endpoints.ts';
import { createWithLease } from './leases.ts';
import { RenewedLease } from './renewed-lease.ts';

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
