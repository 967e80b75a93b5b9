import { parseAddress } from '../kit/address.ts';
import type { Config } from './schema.ts';

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
