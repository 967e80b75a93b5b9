import type { KeyStore } from './key-store.ts';
import type { Keys } from './keyspace.ts';

/** Where firings live: a store, and the layout of the keys in it. */
export interface Place {
  readonly store: KeyStore;
  readonly keys: Keys;
}
