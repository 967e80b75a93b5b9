import type { FiringId, WholeFiring } from '../../domain/firing.ts';
import type { Keyspace } from '../../store/keyspace.ts';
import { parseFiring, parseWholeFiring } from '../wire/firing.ts';

/**
 * A committed firing with its targets, whether their list is in it or in a key of its own. Undefined when it is not
 * there, or has just gone. Throws `firing-malformed` and the store's errors.
 */
export const readWholeFiring = async ({ store, keys }: Keyspace, id: FiringId): Promise<WholeFiring | undefined> => {
  const committed = await store.get(keys.firing(id));
  if (committed === undefined) return undefined;
  const firing = parseFiring(committed.key, committed.value);
  if (firing.targets !== null) return firing;
  const whole = await store.get(keys.targets(id));
  return whole && parseWholeFiring(whole.key, whole.value);
};
