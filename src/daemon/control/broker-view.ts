import type { OwnBrokerView } from '../../api/contract/brokers.ts';
import type { OpenRequests } from '../../broker/open-requests.ts';
import { reachedHere } from '../../config/brokers.ts';
import type { BrokerEndpoint } from '../../domain/broker-address.ts';

/** The broker of this daemon, as the others see it. */
export interface StartedBroker {
  view(): OwnBrokerView;
  readonly openRequests: OpenRequests;
  /** Ids of the other brokers that are up. */
  others(): readonly string[];
}

/** This daemon's own broker, without a detour over the name that others are told; none where it is no broker. */
export const ownBroker = ({ broker }: { readonly broker?: StartedBroker }): BrokerEndpoint[] => {
  if (broker === undefined) return [];
  const { listen, key } = broker.view();
  return [{ endpoint: reachedHere(listen), key }];
};
