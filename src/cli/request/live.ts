/** Requests that wait or run at the broker of this node. */
import type { CancelRequestsBody, LiveRequestsView } from '../../api/contract/brokers.ts';
import { type RequestFilter, requestNotices } from '../../domain/live-request.ts';
import type { DaemonClient } from '../support/http-client.ts';
import { query } from '../support/options.ts';

/** Throws `broker-missing` where the daemon is no broker. */
export const listRequests = (
  client: DaemonClient,
  { request, user, service, limit, team }: RequestFilter & { readonly team?: string },
): Promise<LiveRequestsView> =>
  client.request<LiveRequestsView>(`/v1/requests${query({ request, user, service, limit, team })}`);

/** Throws `broker-missing`, `request-not-found`. */
export const cancelRequests = (client: DaemonClient, body: CancelRequestsBody): Promise<LiveRequestsView> =>
  client.request<LiveRequestsView>('/v1/requests/cancel', { method: 'POST', body });

export const noticesOf = ({ requests, more, broker, others }: LiveRequestsView): string[] =>
  requestNotices({ rows: requests, more }, broker, others);
