import type { Config } from '../config/schema.ts';
import { TriggerdError } from '../domain/errors.ts';
import type { BrokerPlace, ConnectOptions, Credentials } from './client.ts';

/** What `[main]` says about who asks, and of which brokers. Throws `broker-missing`, `config-invalid`. */
export const connectOptionsOf = (main: Config['main']): ConnectOptions => ({
  brokers: brokersOf(main),
  ...credentialsOf(main),
});

/** Throws `broker-missing`, and `config-invalid` where addresses and keys don't fit together. */
export const brokersOf = ({ broker = [], broker_key = [] }: Config['main']): BrokerPlace[] => {
  if (broker.length === 0) throw new TriggerdError('broker-missing', '[main] broker is missing');
  if (broker_key.length === 0) throw new TriggerdError('broker-missing', '[main] broker_key is missing');
  if (broker.length !== broker_key.length)
    throw new TriggerdError(
      'config-invalid',
      `[main] broker names ${broker.length}, and broker_key has ${broker_key.length}: each broker needs its key, in the same order`,
    );
  return broker.map((endpoint, at) => ({ endpoint, key: broker_key[at] ?? '' }));
};

const credentialsOf = ({ team, identity, secret, jwt }: Config['main']): Credentials => {
  if (jwt !== undefined) return { jwt };
  if (team !== undefined && identity !== undefined && secret !== undefined) return { team, identity, secret };
  const missing = Object.entries({ team, identity, secret }).flatMap(([name, value]) =>
    value === undefined ? [name] : [],
  );
  throw new TriggerdError('config-invalid', `[main] ${missing.join(', ')}: missing, and there is no jwt`);
};
