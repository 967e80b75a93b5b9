import * as v from 'valibot';
import { parseNodeName } from '../../domain/names.ts';
import type { AdoptedView } from '../contract/nodes.ts';
import { name } from '../schemas.ts';
import type { Verb } from '../verb.ts';

const params = v.object({ name });

export const adoptNode: Verb = (app, services) => {
  app.post('/v1/nodes/:name/adopt', { schema: { params } }, async ({ params }) => {
    const node = parseNodeName(params.name);
    await services.adoptNode(node);
    const view: AdoptedView = { node };
    return view;
  });
};
