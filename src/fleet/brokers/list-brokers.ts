import type { KeyStore } from '../../store/key-store.ts';
import type { BusKeys } from './keys.ts';
import { type BrokerDocument, parseBroker } from './wire.ts';

/** The brokers that are up, as etcd has them now; entries that are malformed count as absent. Throws the store's errors. */
export const listBrokers = async (store: Pick<KeyStore, 'list'>, keys: BusKeys): Promise<BrokerDocument[]> => {
  const { entries } = await store.list(keys.brokers);
  return entries.flatMap(({ key, value }) => {
    try {
      return [parseBroker(key, value)];
    } catch {
      return [];
    }
  });
};
