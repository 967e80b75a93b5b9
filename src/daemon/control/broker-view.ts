import type { OwnBrokerView } from '../../api/contract/brokers.ts';
import type { OpenRequests } from '../../broker/open-requests.ts';

/** The broker of this daemon, as the others see it. */
export interface StartedBroker {
  view(): OwnBrokerView;
  readonly openRequests: OpenRequests;
  /** Ids of the other brokers that are up. */
  others(): readonly string[];
}
