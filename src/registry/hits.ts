/**
 * Hits of trigger files. Whoever counts has a counter of its own for each trigger, an absolute number that nobody else
 * writes; together they are the trigger's hits. So nothing is compared, and writing one twice changes nothing.
 */
import type { KeyStore } from '../store/key-store.ts';
import type { RegistryKeys } from './keys.ts';
import type { Actor } from './rules/rule-context.ts';
import { maxHitsAtOnce } from './statements.ts';
import { serializeHits } from './wire.ts';

/** Hits of one counter. `lastAt`: ms since the epoch. */
export interface Hits {
  readonly count: number;
  readonly lastAt: number;
}

/** The counter of a mount without etcd. No node's name has a tilde, and no user reaches another one's counters. */
export const counterOf = (actor: Actor, counter: string): string =>
  `${actor.kind === 'user' ? actor.identity : ''}~${counter}`;

export const hitWrites = (
  keys: RegistryKeys,
  team: string,
  counter: string,
  hits: ReadonlyMap<number, Hits>,
): { readonly put: string; readonly value: string }[] =>
  [...hits].map(([id, { count, lastAt }]) => ({
    put: keys.hits(team, id, counter),
    value: serializeHits(count, new Date(lastAt).toISOString()),
  }));

/** `counter`: a node's name, or of `counterOf`. Throws the store's errors. */
export const writeHits = async (
  { store, keys }: { readonly store: Pick<KeyStore, 'commit'>; readonly keys: RegistryKeys },
  team: string,
  counter: string,
  hits: ReadonlyMap<number, Hits>,
): Promise<void> => {
  const write = hitWrites(keys, team, counter, hits);
  for (let at = 0; at < write.length; at += maxHitsAtOnce)
    await store.commit({ compare: [], write: write.slice(at, at + maxHitsAtOnce) });
};
