import type { OwnBrokerView } from '../api/contract.ts';

/** The broker of this daemon, as the others see it. */
export interface StartedBroker {
  view(): OwnBrokerView;
}
