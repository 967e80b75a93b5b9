/**
 * Requests that are not over, as admins see and end them: what a broker answers from its own memory. A broker knows its own
 * requests only, and says so.
 */
import type { BrokerAddress } from './broker-address.ts';
import type { RequestId } from './request.ts';
import type { RequestHeading } from './request-record.ts';

/** Statements that a broker answers itself, beside those of the registry. `team`: that of the token. */
export type RequestStatement =
  | ({ readonly verb: 'request.list'; readonly team: string } & RequestFilter)
  | ({ readonly verb: 'request.cancel'; readonly team: string } & RequestChoice);

export interface RequestFilter {
  readonly request?: RequestId;
  /** Identity of the user who asks. */
  readonly user?: string;
  /** Name of the service, without its team. */
  readonly service?: string;
  /** Default and most: 1,000. */
  readonly limit?: number;
}

/** One request, or all that a user has. */
export type RequestChoice = { readonly request: RequestId } | { readonly user: string };

/**
 * `team` and `user` are those who asked first, if a job made the request on their behalf. `service`, `plugin` and
 * `command` are empty if a user who comes from the reader's team made the request in another team.
 */
export interface LiveRequest extends RequestHeading {
  readonly broker: BrokerAddress['id'];
  /** `cancelled`: its worker was told to end it. */
  readonly state: 'waiting' | 'running' | 'cancelled';
  /** Workers that have it, or a part of it. */
  readonly workers: readonly string[];
  /** Deadline of the request. */
  readonly expires_at: string;
  /** What the broker holds of it: payload and arguments. */
  readonly bytes: number;
}

/** The oldest first. */
export interface LiveRequests {
  readonly rows: readonly LiveRequest[];
  /** How many there are besides. */
  readonly more: number;
}

/** What was left out, and where else to ask. `others`: ids of the other brokers that are up. */
export const requestNotices = ({ more }: LiveRequests, broker: string, others: readonly string[]): string[] => [
  ...(more === 0 ? [] : [`There are ${more} more; name a user or a service.`]),
  ...(others.length === 0
    ? []
    : [`These are the requests at broker ${broker}. Ask the others, too: ${others.join(', ')}.`]),
];
