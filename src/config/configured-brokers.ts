import { TriggerdError } from '../domain/errors.ts';
import type { Config } from './schema.ts';

/** Where a broker listens, and its key. */
export interface BrokerPlace {
  readonly endpoint: string;
  readonly key: string;
}

/** `[main] broker` with its keys. Throws `broker-missing`, and `config-invalid` where addresses and keys don't fit together. */
export const configuredBrokers = ({ broker = [], broker_key = [] }: Config['main']): BrokerPlace[] => {
  if (broker.length === 0) throw new TriggerdError('broker-missing', '[main] broker is missing');
  if (broker_key.length === 0) throw new TriggerdError('broker-missing', '[main] broker_key is missing');
  if (broker.length !== broker_key.length)
    throw new TriggerdError(
      'config-invalid',
      `[main] broker names ${broker.length}, and broker_key has ${broker_key.length}: each broker needs its key, in the same order`,
    );
  return broker.map((endpoint, at) => ({ endpoint, key: broker_key[at] ?? '' }));
};
