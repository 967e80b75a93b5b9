import { reachedHere } from '../../config/advertised-broker.ts';
import type { BrokerPlace } from '../../config/configured-brokers.ts';
import type { Runtime } from '../compose/runtime.ts';

/** This daemon's own broker, without a detour over the name that others are told; none where it is no broker. */
export const ownBroker = ({ broker }: Pick<Runtime, 'broker'>): BrokerPlace[] => {
  if (broker === undefined) return [];
  const { listen, key } = broker.view();
  return [{ endpoint: reachedHere(listen), key }];
};
