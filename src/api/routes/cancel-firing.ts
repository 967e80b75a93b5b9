import * as v from 'valibot';
import { parseNodeName } from '../../domain/names.ts';
import { isFinal } from '../../domain/outcome.ts';
import { askedBy } from '../asked-by.ts';
import type { CancelledNodeView, CancelledView } from '../contract/firings.ts';
import { firingParams, hosts, text } from '../schemas.ts';
import type { Cancelled } from '../services/firings.ts';
import type { Verb } from '../verb.ts';

const body = v.strictObject({
  hosts: v.optional(hosts),
  kill: v.optional(v.boolean(), false),
  user: v.optional(text(64)),
});

export const cancelFiring: Verb = (app, { firings, node }) => {
  app.post('/v1/firings/:id/cancel', { schema: { params: firingParams, body } }, async ({ params, body }) => {
    const { hosts, kill, user } = body;
    const asked = { hosts: hosts?.map(parseNodeName), kill, by: askedBy(user, node) };
    const cancelled = await firings.cancel(params.id, asked);
    const view: CancelledView = { id: params.id, nodes: Object.fromEntries(cancelled.map(nodeView)) };
    return view;
  });
};

const nodeView = ({ node, did, outcome }: Cancelled): [string, CancelledNodeView] => {
  const stage = outcome?.stage ?? 'owed';
  const reason = isFinal(stage) ? (outcome?.reason ?? null) : null;
  return [node, { did, stage, result: outcome?.result ?? null, reason }];
};
