import type { BrokerEndpoint } from '../domain/broker-address.ts';
import { TriggerdError } from '../domain/errors.ts';
import { parseAddress } from '../kit/address.ts';
import type { Config } from './schema.ts';

/** `[main] broker` with its keys. Throws `broker-missing`, and `config-invalid` where addresses and keys don't fit together. */
export const configuredBrokers = (main: BrokerKeys): BrokerEndpoint[] => brokersOf('[main]', main);

/**
 * The brokers of the workers here: `[workers] broker`, else `[main] broker`, so that a worker's file needs no `[main]`.
 * Throws as `configuredBrokers` does.
 */
export const workersBrokers = ({ workers, main }: Pick<Config, 'workers' | 'main'>): BrokerEndpoint[] => {
  if (hasBroker(workers)) return brokersOf('[workers]', workers);
  if (!hasBroker(main))
    throw new TriggerdError('broker-missing', '[workers] broker is missing, and so is [main] broker');
  return brokersOf('[main]', main);
};

/** The same where workers find brokers in etcd as well, and need none that is written down. */
export const furtherBrokers = (config: Pick<Config, 'workers' | 'main'>): BrokerEndpoint[] =>
  hasBroker(config.workers) || config.main.broker !== undefined ? workersBrokers(config) : [];

type BrokerKeys = Pick<Config['main'], 'broker' | 'broker_key'>;

/** A key without an address is one that somebody has forgotten, and no reason to look elsewhere. */
const hasBroker = ({ broker, broker_key }: BrokerKeys): boolean => broker !== undefined || broker_key !== undefined;

const brokersOf = (section: string, { broker = [], broker_key = [] }: BrokerKeys): BrokerEndpoint[] => {
  if (broker.length === 0) throw new TriggerdError('broker-missing', `${section} broker is missing`);
  if (broker_key.length === 0) throw new TriggerdError('broker-missing', `${section} broker_key is missing`);
  if (broker.length !== broker_key.length)
    throw new TriggerdError(
      'config-invalid',
      `${section} broker has ${broker.length} entries, but broker_key has ${broker_key.length}: give each broker its key, in the same order`,
    );
  return broker.map((endpoint, at) => ({ endpoint, key: broker_key[at] ?? '' }));
};

/** Where others reach the broker that this configuration makes; `listening` has the port that was found where 0 was asked for. */
export const advertisedBroker = (
  { advertise, listen }: NonNullable<Config['broker']>,
  node: string,
  listening = listen,
): string => {
  const parsed = parseAddress('listen', listening);
  return advertise ?? `tcp://${node}:${typeof parsed === 'string' ? 0 : parsed.port}`;
};

/** Where this machine itself reaches a broker that listens there: every address of the machine is a loopback one, too. */
export const reachedHere = (listen: string): string => listen.replace(/\/\/(?:0\.0\.0\.0|\*|\[::\]):/, '//127.0.0.1:');
