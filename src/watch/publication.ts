import { TriggerdError } from '../domain/errors.ts';
import type { Firing } from '../domain/firing.ts';
import type { Keys } from './keys.ts';
import type { Entry, KeyStore, Write } from './ports.ts';
import { serializeInboxEntry } from './wire.ts';

/** Where firings live: a store, and the layout of the keys in it. */
export interface Place {
  readonly store: KeyStore;
  readonly keys: Keys;
}

/** A firing on its way into etcd, with the bytes that it has there. */
export interface Publication extends Place {
  readonly firing: Firing;
  readonly value: string;
}

export const entriesFor = ({ keys, firing }: Publication, targets: readonly string[]): Write[] =>
  targets.map((node) => ({ put: keys.inbox(node, firing.id), value: serializeInboxEntry(firing.id) }));

/** Whether what is stored is ours byte for byte: an earlier try, or another publisher of the same document, was first. */
export const isOurs = ({ firing, value }: Publication, stored: Entry | undefined): boolean => {
  if (stored === undefined) return false;
  if (stored.value === value) return true;
  throw new TriggerdError('input-invalid', `etcd has another firing with the id ${firing.id}`);
};
