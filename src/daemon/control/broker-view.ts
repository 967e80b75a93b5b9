import type { OwnBrokerView } from '../../api/contract/brokers.ts';
import type { Overseen } from '../../broker/overseen.ts';

/** The broker of this daemon, as the others see it. */
export interface StartedBroker {
  view(): OwnBrokerView;
  readonly overseen: Overseen;
  /** Ids of the other brokers that are up. */
  others(): readonly string[];
}
