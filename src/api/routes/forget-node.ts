import * as v from 'valibot';
import { parseNodeName } from '../../domain/names.ts';
import { askedBy } from '../asked-by.ts';
import type { ForgottenView } from '../contract/nodes.ts';
import { name, text } from '../schemas.ts';
import type { Verb } from '../verb.ts';

const params = v.object({ name });
const body = v.strictObject({ force: v.optional(v.boolean(), false), user: v.optional(text(64)) });

export const forgetNode: Verb = (app, services) => {
  app.post('/v1/nodes/:name/forget', { schema: { params, body } }, async ({ params, body }) => {
    const node = parseNodeName(params.name);
    const ended = await services.forgetNode(node, { force: body.force, by: askedBy(body.user, services.node) });
    const view: ForgottenView = { node, ended };
    return view;
  });
};
