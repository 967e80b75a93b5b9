import * as v from 'valibot';
import { parseNodeName } from '../../domain/names.ts';
import type { AdoptedView, ForgottenView } from '../contract/nodes.ts';
import { askedBy, get, post, type Route } from '../route.ts';
import { name, text } from '../schemas.ts';
import type { ApiServices } from '../services/services.ts';

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
