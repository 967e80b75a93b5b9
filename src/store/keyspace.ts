import type { KeyStore } from './key-store.ts';
import type { Keys } from './keys.ts';

/** A store, and the layout of the keys of this installation in it. */
export interface Keyspace {
  readonly store: KeyStore;
  readonly keys: Keys;
}
