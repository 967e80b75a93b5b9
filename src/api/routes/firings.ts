import { Readable } from 'node:stream';
import * as v from 'valibot';
import { TriggerdError } from '../../domain/errors.ts';
import { defaultTtl, isFiringId, type WholeFiring } from '../../domain/firing.ts';
import { isNodeName, isTriggerName, parseNodeName, parsePluginName, parseTriggerName } from '../../domain/names.ts';
import { isFinal } from '../../domain/outcome.ts';
import { exitCodeOfWhole } from '../../plugin/puppet/regular-run.ts';
import type { CancelledNodeView, CancelledView, FiredView, RunRecordedView, SpooledView } from '../contract/firings.ts';
import { answer, askedBy, get, post, type Route, streamOf } from '../route.ts';
import { digits, durationMs, firingParams, hosts, name, stringMap, text } from '../schemas.ts';
import type { ApiServices, Cancelled, Firings } from '../services/services.ts';
import { firingView, outcomeView } from '../views/firings.ts';

const chainLink = v.strictObject({
  firing: v.pipe(v.string(), v.check(isFiringId, 'Expected a firing’s id')),
  node: v.pipe(v.string(), v.check(isNodeName, 'Expected a node’s name')),
  trigger: v.pipe(v.string(), v.check(isTriggerName, 'Expected a trigger’s name')),
});

const newFiringBody = v.strictObject({
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

const recent = v.object({ limit: v.optional(v.pipe(digits, v.maxValue(1000)), '20') });
const cancelling = v.strictObject({
  hosts: v.optional(hosts),
  kill: v.optional(v.boolean(), false),
  user: v.optional(text(64)),
});

type FiringServices = Pick<ApiServices, 'firings' | 'node' | 'now' | 'newFiringId'>;

/** Firings, at their origin: publishing them, what became of them, ending them. */
export const firingRoutes = (services: FiringServices): Route[] => {
  const { firings, node } = services;
  return [
    post('/v1/firings', { body: newFiringBody }, async ({ body }) => {
      const firing = newFiring(body, services);
      const { unseen } = await firings.publish(firing);
      const fired: FiredView = { id: firing.id, targets: firing.targets, unseen };
      return answer(201, fired);
    }),
    get('/v1/firings', { query: recent }, async ({ query }) => (await firings.recent(query.limit)).map(firingView)),
    get('/v1/firings/:id', { params: firingParams }, async ({ params }) => firingView(await firings.status(params.id))),
    // NDJSON: one outcome a line. An unknown firing is refused before the stream begins.
    get('/v1/firings/:id/follow', { params: firingParams }, async ({ params, hungUp }) => {
      await firings.status(params.id);
      return streamOf('application/x-ndjson', Readable.from(outcomeLines(firings, params.id, hungUp())));
    }),
    post('/v1/firings/:id/cancel', { params: firingParams, body: cancelling }, async ({ params, body }) => {
      const { hosts, kill, user } = body;
      const asked = { hosts: hosts?.map(parseNodeName), kill, by: askedBy(user, node) };
      const cancelled = await firings.cancel(params.id, asked);
      const view: CancelledView = { id: params.id, nodes: Object.fromEntries(cancelled.map(nodeView)) };
      return view;
    }),
  ];
};

async function* outcomeLines(firings: Firings, id: string, signal: AbortSignal): AsyncGenerator<string> {
  for await (const outcome of firings.follow(id, signal)) yield `${JSON.stringify(outcomeView(outcome))}\n`;
}

const nodeView = ({ node, did, outcome }: Cancelled): [string, CancelledNodeView] => {
  const stage = outcome?.stage ?? 'owed';
  const reason = isFinal(stage) ? (outcome?.reason ?? null) : null;
  return [node, { did, stage, result: outcome?.result ?? null, reason }];
};

/** The firing that is asked for. Throws `node-name-invalid` and the like for what are no names. */
const newFiring = (asked: v.InferOutput<typeof newFiringBody>, services: FiringServices): WholeFiring => {
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

const body = v.object({
  argv: v.pipe(v.array(text(131_000)), v.maxLength(10_000)),
  cwd: text(4096),
  started_at: v.pipe(text(64), v.isoTimestamp()),
  status: text(64),
  noop: v.boolean(),
  completed: v.boolean(),
  transaction_uuid: v.nullable(text(64)),
  resources: v.record(text(64), v.number()),
});

/** A `puppet apply` that has just ended. One that was not whole satisfies nothing, and is no error. */
export const runRoutes = ({ runs, now }: Pick<ApiServices, 'runs' | 'now'>): Route[] => [
  post('/v1/runs', { body }, ({ body }): RunRecordedView => {
    const { argv, cwd, started_at, status, noop, completed, transaction_uuid: report, resources } = body;
    const { skipped = 0, changed = null, failed = null, failed_to_restart = null, total = null } = resources;
    const exitCode = exitCodeOfWhole({ status, noop, completed, skipped });
    if (exitCode === null) return { satisfied: [] };
    const facts = { changed, failed, failed_to_restart, total, noop, report, status };
    const times = { startedAt: Date.parse(started_at), finishedAt: now() };
    return { satisfied: runs.record({ what: { kind: 'apply', argv, cwd }, ...times, exitCode, facts }) };
  }),
];

const query = v.object({ publish: v.optional(v.literal('1', 'Expected 1')) });

/** Takes the bytes of the document as they are: they are what etcd will have, and what a repeated publication compares. */
export const spoolRoutes = ({ spool }: Pick<ApiServices, 'spool'>): Route[] => [
  post('/v1/spool', { query, body: 'bytes' }, async ({ body, query }) => {
    const document = decode(body);
    const view: SpooledView =
      query.publish === undefined
        ? { id: await spool.store(document), stage: 'stored' }
        : { id: await spool.publish(document), stage: 'owed' };
    return answer(view.stage === 'stored' ? 202 : 201, view);
  }),
];

const decode = (body: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch (cause) {
    throw new TriggerdError('input-invalid', 'the firing is not UTF-8', { cause });
  }
};
