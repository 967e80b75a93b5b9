import * as v from 'valibot';
import { TriggerdError } from '../../domain/errors.ts';
import type { LiveRequests, RequestChoice } from '../../domain/live-request.ts';
import { parseNodeName } from '../../domain/names.ts';
import { given } from '../../kit/given.ts';
import type { LiveRequestsView } from '../contract/brokers.ts';
import type { AdoptedView, ForgottenView } from '../contract/nodes.ts';
import { askedBy, get, post, type Route } from '../route.ts';
import { digits, name, text } from '../schemas.ts';
import type { ApiServices, BrokerRequests, Brokers } from '../services/services.ts';

const word = text(255);
const query = v.strictObject({
  team: v.optional(word),
  user: v.optional(word),
  service: v.optional(word),
  request: v.optional(word),
  limit: v.optional(v.pipe(digits, v.minValue(1), v.maxValue(1_000))),
});
const body = v.strictObject({
  request: v.optional(word),
  user: v.optional(word),
  team: v.optional(word),
  by: v.optional(text(64)),
});

/** Brokers, and what waits and runs at this daemon's own: for whoever may use the control socket, of all teams. */
export const brokerRoutes = ({ brokers, node }: Pick<ApiServices, 'brokers' | 'node'>): Route[] => [
  get('/v1/broker', {}, () => {
    const own = brokers.own();
    if (own === null)
      throw new TriggerdError('broker-missing', 'this daemon is not a broker: it has no [broker] section');
    return own;
  }),
  get('/v1/brokers', {}, () => brokers.list()),
  get('/v1/requests', { query }, async ({ query }) => {
    const { team, ...filter } = query;
    const requests = await ownRequests(brokers);
    return view(requests, requests.list(team ?? null, given(filter)));
  }),
  post('/v1/requests/cancel', { body }, async ({ body }) => {
    const { team, by } = body;
    const requests = await ownRequests(brokers);
    return view(requests, requests.cancel(team ?? null, choiceOf(body), askedBy(by, node)));
  }),
];

const ownRequests = async (brokers: Brokers): Promise<BrokerRequests> => {
  const requests = brokers.requests();
  if (requests !== null) return requests;
  const others = (await brokers.list()).map(({ id }) => id);
  const where = others.length === 0 ? 'none is up' : `ask on ${others.join(', ')}`;
  throw new TriggerdError('broker-missing', `brokers hold requests, and this daemon is not a broker; ${where}`);
};

const view = ({ broker, others }: BrokerRequests, { rows, more }: LiveRequests): LiveRequestsView => ({
  broker,
  others: others(),
  requests: rows,
  more,
});

const choiceOf = ({ request, user }: { request?: string | undefined; user?: string | undefined }): RequestChoice => {
  if (request !== undefined && user === undefined) return { request };
  if (user !== undefined && request === undefined) return { user };
  throw new TriggerdError('input-invalid', 'body: name a request or a user, not both');
};

const params = v.object({ name });
const forgetting = v.strictObject({ force: v.optional(v.boolean(), false), user: v.optional(text(64)) });

/** The nodes of the fleet: who is there, who is gone for good, who has another machine now. */
export const nodeRoutes = (services: Pick<ApiServices, 'nodes' | 'forgetNode' | 'adoptNode' | 'node'>): Route[] => [
  get('/v1/nodes', {}, () => services.nodes()),
  post('/v1/nodes/:name/forget', { params, body: forgetting }, async ({ params, body }) => {
    const node = parseNodeName(params.name);
    const ended = await services.forgetNode(node, { force: body.force, by: askedBy(body.user, services.node) });
    const view: ForgottenView = { node, ended };
    return view;
  }),
  post('/v1/nodes/:name/adopt', { params }, async ({ params }) => {
    const node = parseNodeName(params.name);
    await services.adoptNode(node);
    const view: AdoptedView = { node };
    return view;
  }),
];
