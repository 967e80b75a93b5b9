import type { LiveRequest } from '../../domain/live-request.ts';

export interface BrokerView {
  readonly id: string;
  /** Where clients and workers reach it. */
  readonly endpoint: string;
  /** Its public key: `[main] broker_key`. */
  readonly key: string;
  readonly version: string;
  readonly started_at: string;
}

/** The broker that this daemon is. */
export interface OwnBrokerView {
  readonly id: string;
  readonly endpoint: string;
  readonly key: string;
  /** Where its socket listens. */
  readonly listen: string;
  /** Clients and workers that are connected. */
  readonly peers: number;
  readonly workers: number;
  /** Requests that are not over, and how many of them wait for a worker. */
  readonly requests: number;
  readonly queued: number;
}

/** Requests at this broker; other brokers have their own. */
export interface LiveRequestsView {
  readonly broker: string;
  /** Ids of the other brokers that are up. */
  readonly others: readonly string[];
  readonly requests: readonly LiveRequest[];
  /** How many there are besides. */
  readonly more: number;
}

/** One request, or all of a user. */
export interface CancelRequestsBody {
  readonly request?: string;
  readonly user?: string;
  /** Only what was asked in this team, or of its services. */
  readonly team?: string;
  /** Name of the user who asks for it; the requests' reason names it. */
  readonly by?: string;
}
