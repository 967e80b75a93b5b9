import * as v from 'valibot';
import { defaultTtl } from '../../domain/firing.ts';
import { parseNodeName, parsePluginName, parseTriggerName } from '../../domain/names.ts';
import type { FiredView } from '../contract.ts';
import { durationMs, stringMap, text } from '../schemas.ts';
import type { Verb } from '../verb.ts';

const body = v.strictObject({
  trigger: text(255),
  hosts: v.pipe(v.array(text(253)), v.minLength(1, 'Expected at least one host'), v.maxLength(20_000)),
  plugin: v.optional(text(255)),
  args: v.optional(stringMap, {}),
  tags: v.optional(v.array(text(255)), []),
  noop: v.optional(v.boolean(), false),
  ttl_ms: v.optional(durationMs),
  user: v.optional(text(64)),
});

export const addFiring: Verb = (app, services) => {
  app.post('/v1/firings', { schema: { body } }, async ({ body }, reply) => {
    const now = services.now();
    const targets = [...new Set(body.hosts.map(parseNodeName))];
    const id = services.newFiringId();
    const { unseen } = await services.firings.publish({
      id,
      trigger: parseTriggerName(body.trigger),
      origin: { kind: 'cli', node: services.node, user: body.user ?? null },
      targets,
      job: { plugin: body.plugin === undefined ? null : parsePluginName(body.plugin), args: body.args },
      noop: body.noop,
      tags: body.tags,
      policy: {},
      ttl: defaultTtl,
      chain: [],
      createdAt: new Date(now).toISOString(),
      expiresAt: body.ttl_ms === undefined ? null : new Date(now + body.ttl_ms).toISOString(),
      signature: null,
    });
    const fired: FiredView = { id, targets, unseen };
    return reply.code(201).send(fired);
  });
};
