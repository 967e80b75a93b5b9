import { configuredBrokers } from '../config/brokers.ts';
import type { Config } from '../config/schema.ts';
import { TriggerdError } from '../domain/errors.ts';
import type { ConnectOptions, Credentials } from './client.ts';

/** What `[main]` says about who asks, and of which brokers. Throws `broker-missing`, `config-invalid`. */
export const connectOptionsOf = (main: Config['main']): ConnectOptions => ({
  brokers: configuredBrokers(main),
  ...credentialsOf(main),
});

/** Throws `config-invalid`. */
export const credentialsOf = ({ team, identity, secret, jwt }: Config['main']): Credentials => {
  if (jwt !== undefined) return { jwt };
  if (team !== undefined && identity !== undefined && secret !== undefined) return { team, identity, secret };
  const missing = Object.entries({ team, identity, secret }).flatMap(([name, value]) =>
    value === undefined ? [name] : [],
  );
  throw new TriggerdError('config-invalid', `[main] ${missing.join(', ')}: missing, and there is no jwt`);
};
