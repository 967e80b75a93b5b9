import * as v from 'valibot';
import { defaultTtl, isFiringId, type WholeFiring } from '../domain/firing.ts';
import { isNodeName, isTriggerName, parseNodeName, parsePluginName, parseTriggerName } from '../domain/names.ts';
import { durationMs, hosts, name, stringMap, text } from './schemas.ts';
import type { ApiServices } from './services/services.ts';

const chainLink = v.strictObject({
  firing: v.pipe(v.string(), v.check(isFiringId, 'Expected a firing’s id')),
  node: v.pipe(v.string(), v.check(isNodeName, 'Expected a node’s name')),
  trigger: v.pipe(v.string(), v.check(isTriggerName, 'Expected a trigger’s name')),
});

export const newFiringBody = v.strictObject({
  trigger: name,
  hosts,
  plugin: v.optional(name),
  args: v.optional(stringMap, {}),
  tags: v.optional(v.array(text(255)), []),
  noop: v.optional(v.boolean(), false),
  ttl_ms: v.optional(durationMs),
  user: v.optional(text(64)),
  chain: v.optional(v.pipe(v.array(chainLink), v.maxLength(300)), []),
  ttl: v.optional(v.pipe(v.number(), v.integer(), v.minValue(-1), v.maxValue(255)), defaultTtl),
});

/** The firing that is asked for. Throws `node-name-invalid` and the like for what are no names. */
export const newFiring = (
  asked: v.InferOutput<typeof newFiringBody>,
  services: Pick<ApiServices, 'now' | 'newFiringId' | 'node'>,
): WholeFiring => {
  const now = services.now();
  return {
    id: services.newFiringId(),
    trigger: parseTriggerName(asked.trigger),
    origin: { kind: 'cli', node: services.node, user: asked.user ?? null },
    targets: [...new Set(asked.hosts.map(parseNodeName))],
    job: { plugin: asked.plugin === undefined ? null : parsePluginName(asked.plugin), args: asked.args },
    noop: asked.noop,
    tags: asked.tags,
    policy: {},
    ttl: Math.min(asked.ttl, defaultTtl),
    chain: asked.chain,
    createdAt: new Date(now).toISOString(),
    expiresAt: asked.ttl_ms === undefined ? null : new Date(now + asked.ttl_ms).toISOString(),
    signature: null,
  };
};
