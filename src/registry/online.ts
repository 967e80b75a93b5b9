import type { KeyStore } from '../store/key-store.ts';
import type { RegistryKeys } from './keys.ts';
import { parseOnline } from './wire.ts';

/** Since when each connected worker is, as `team/identity`, at any broker. Throws the store's errors. */
export const readOnline = async ({
  store,
  keys,
}: {
  readonly store: Pick<KeyStore, 'list'>;
  readonly keys: RegistryKeys;
}): Promise<Map<string, string>> => {
  const { entries } = await store.list(keys.onlines);
  const online = new Map<string, string>();
  for (const { key, value } of entries)
    for (const [worker, { since }] of Object.entries(parseOnline(key, value).workers)) {
      const other = online.get(worker);
      if (other === undefined || since < other) online.set(worker, since);
    }
  return online;
};
