import { reachedHere } from '../../config/advertised-broker.ts';
import type { BrokerEndpoint } from '../../domain/broker-address.ts';
import type { Runtime } from '../compose/runtime.ts';

/** This daemon's own broker, without a detour over the name that others are told; none where it is no broker. */
export const ownBroker = ({ broker }: Pick<Runtime, 'broker'>): BrokerEndpoint[] => {
  if (broker === undefined) return [];
  const { listen, key } = broker.view();
  return [{ endpoint: reachedHere(listen), key }];
};
