import type { LiveRequests, RequestChoice, RequestFilter } from '../../domain/live-request.ts';
import type { BrokerView, OwnBrokerView } from '../contract/brokers.ts';

export interface Brokers {
  /** Null: this daemon is none. */
  own(): OwnBrokerView | null;
  /** Those that are up. Throws the store's errors. */
  list(): Promise<BrokerView[]>;
  /** What waits and runs at the own one; null: this daemon is none. */
  requests(): BrokerRequests | null;
}

/** `team`: only what was asked in it, or of its services; null: all. */
export interface BrokerRequests {
  readonly broker: string;
  others(): readonly string[];
  list(team: string | null, filter: RequestFilter): LiveRequests;
  /** Throws `request-not-found`. */
  cancel(team: string | null, choice: RequestChoice, by: string): LiveRequests;
}
