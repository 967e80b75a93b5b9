import * as v from 'valibot';
import { TriggerdError } from '../../domain/errors.ts';
import { type JobRequest, type ListedJob, maxWords } from '../../domain/job.ts';
import { given } from '../../kit/given.ts';
import { canonicalPluginName } from '../../plugin/plugin-name.ts';
import { listedCommandLength } from '../../queue/ports/journal.ts';
import type { Queues } from '../../queue/queues.ts';
import { outputFromHeader } from '../contract/jobs.ts';
import { answer, get, post, type Route, streamOf, waitPatiently } from '../route.ts';
import { digits, durationMs, jobParams, name, positiveInteger, slots, stringMap, text, waitQuery } from '../schemas.ts';
import type { ApiServices } from '../services/services.ts';
import { jobView } from '../views/jobs.ts';
import { queueNamed } from './queues.ts';

/** One answer holds no more jobs of a kind than this: the daemon builds it in memory, and does nothing else meanwhile. */
const most = 1000;
const number = v.pipe(digits, v.maxValue(most));
const state = v.picklist(['queued', 'running', 'finished', 'skipped']);

const listing = v.object({
  queue: v.optional(text(64)),
  ended: v.optional(number, '100'),
  queued: v.optional(number, String(most)),
  command: v.optional(v.pipe(digits, v.maxValue(4096)), '4096'),
  limit: v.optional(v.pipe(number, v.minValue(1))),
  after: v.optional(digits),
  state: v.optional(
    v.pipe(
      text(64),
      v.transform((list) => list.split(',')),
      v.array(state),
    ),
  ),
});

const latest = v.object({
  queue: v.optional(text(64), 'default'),
  which: v.picklist(['added', 'queued', 'started']),
});
const output = v.object({
  follow: v.optional(v.picklist(['0', '1']), '0'),
  lines: v.optional(digits),
  from: v.optional(digits),
  stream: v.optional(v.picklist(['out', 'err'])),
});
const swap = v.strictObject({ a: positiveInteger, b: positiveInteger });

type JobServices = Pick<ApiServices, 'queues' | 'outputs' | 'pidOf' | 'now'>;

/** Jobs: adding them, looking at them, and everything that is done to one of them. */
export const jobRoutes = (services: JobServices): Route[] => [...readingRoutes(services), ...changingRoutes(services)];

const readingRoutes = ({ queues, outputs, pidOf }: JobServices): Route[] => [
  get('/v1/jobs', { query: listing }, ({ query }) => listed(queues, query)),
  get('/v1/jobs/latest', { query: latest }, ({ query: { queue, which } }) => {
    queueNamed(queues, queue);
    const job = finders[which](queues, queue);
    if (job === undefined) throw new TriggerdError('job-not-found', `no job was named, and ${missing[which]}`);
    return jobView(job);
  }),
  get('/v1/jobs/:id', { params: jobParams }, ({ params }) => {
    const job = queues.get(params.id);
    return { ...jobView(job), pid: job.state === 'running' || job.state === 'finished' ? pidOf(job) : null };
  }),
  get('/v1/jobs/:id/wait', { params: jobParams, query: waitQuery }, async ({ params: { id }, query, hungUp }) => {
    const end = (signal: AbortSignal) => queues.waitFor(id, signal);
    return jobView(await waitPatiently(end, `the end of job ${id}`, hungUp(), query.timeout_ms));
  }),
  get('/v1/jobs/:id/output', { params: jobParams, query: output }, async ({ params, query, hungUp }) => {
    const { follow, lines, from, stream } = query;
    const job = queues.get(params.id);
    const opened = await outputs.open(job, { follow: follow === '1', lines, from, stream }, hungUp());
    // Whoever loses us before the first byte must know where to continue.
    return streamOf('application/octet-stream', opened.bytes, { [outputFromHeader]: opened.from });
  }),
];

const changingRoutes = ({ queues, now }: JobServices): Route[] => [
  post('/v1/jobs', { body: newJobBody }, ({ body }) => {
    const { on_key: onKey, unless_queued: unlessQueued, tsp, ...rest } = body;
    if (tsp !== undefined) return answer(201, jobView(queues.tsp.add(requestOf(rest, now), tsp)));
    const { job, isNew } = queues.offer(requestOf(rest, now), { onKey, unlessQueued });
    return answer(isNew ? 201 : 200, jobView(job));
  }),
  post('/v1/jobs/swap', { body: swap }, ({ body: { a, b } }) => {
    queues.swap(a, b);
    return [jobView(queues.get(a)), jobView(queues.get(b))];
  }),
  post('/v1/jobs/:id/kill', { params: jobParams }, async ({ params }) => jobView(await queues.kill(params.id))),
  post('/v1/jobs/:id/remove', { params: jobParams }, ({ params }) => jobView(queues.remove(params.id))),
  post('/v1/jobs/:id/urgent', { params: jobParams }, ({ params }) => jobView(queues.makeUrgent(params.id))),
  post('/v1/jobs/:id/retry', { params: jobParams }, ({ params }) => jobView(queues.retry(params.id))),
];

const listed = (queues: Queues, query: v.InferOutput<typeof listing>) => {
  const { queue, ended, queued, command, limit, after, state } = query;
  if (queue !== undefined) queueNamed(queues, queue);
  const which = limit === undefined ? { endedLimit: ended, queuedLimit: queued } : { limit };
  return queues
    .list({
      ...which,
      commandLength: command,
      ...given({ queue, afterId: after, states: state }),
    })
    .map(jobView);
};

/** The job that a verb means when none is named. */
const finders = {
  added: (queues: Queues, queue: string) => queues.list({ queue, limit: 1, newestFirst: true }).at(0),
  queued: (queues: Queues, queue: string) =>
    queues.list({ queue, limit: 1, newestFirst: true, states: ['queued'] }).at(0),
  /** The one that runs, else the one that ran last: never one that was skipped. */
  started: (queues: Queues, queue: string) =>
    queues.list({ queue, states: ['running'] }).at(-1) ??
    queues.list({ queue, states: ['finished'], endedLimit: 1 }).at(0),
} as const satisfies Record<string, (queues: Queues, queue: string) => ListedJob | undefined>;

const missing = {
  added: 'the queue has none',
  queued: 'none is queued',
  started: 'none has run yet',
} as const;

const environment = v.record(v.pipe(text(128), v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/)), text(100_000));
const absolute = v.pipe(text(4096), v.startsWith('/', 'Expected an absolute path'));

const newJobBody = v.strictObject({
  queue: v.optional(text(64), 'default'),
  plugin: v.optional(name, 'command'),
  argv: v.optional(v.pipe(v.array(text(131_000)), v.maxLength(maxWords)), []),
  args: v.optional(stringMap, {}),
  env: v.optional(environment, {}),
  cwd: v.optional(absolute),
  payload: v.optional(v.pipe(v.string(), v.maxLength(1_048_576))),
  label: v.optional(text(255)),
  timeout_ms: v.optional(durationMs),
  after: v.optional(positiveInteger),
  if_ok: v.optional(v.pipe(v.array(positiveInteger), v.minLength(1), v.maxLength(1000))),
  on_finish: v.optional(v.pipe(text(4096), v.minLength(1, 'Expected a program'))),
  slots: v.optional(slots),
  stderr_apart: v.optional(v.boolean(), false),
  gzip: v.optional(v.boolean(), false),
  delay_ms: v.optional(durationMs),
  key: v.optional(v.pipe(text(255), v.minLength(1, 'Expected at least one character'))),
  on_key: v.optional(v.picklist(['replace', 'keep']), 'replace'),
  unless_queued: v.optional(v.boolean(), false),
  tsp: v.optional(
    v.strictObject({
      command: v.pipe(
        v.string(),
        v.transform((words) => words.slice(0, listedCommandLength)),
      ),
      stored: v.boolean(),
      kept: v.boolean(),
      needs: v.optional(v.union([v.literal('previous'), v.pipe(v.number(), v.integer())])),
    }),
  ),
  urgent: v.optional(v.boolean(), false),
  noop: v.optional(v.boolean(), false),
  user: v.optional(text(64)),
});

type Body = Omit<v.InferOutput<typeof newJobBody>, 'on_key' | 'unless_queued' | 'tsp'>;

/** What the journal gets of it; everything that was left out is spelt out. */
const requestOf = (body: Body, now: () => number): JobRequest => {
  const { timeout_ms, cwd = null, payload = null, label = null, after = null, plugin, ...rest } = body;
  const { user, key, if_ok, delay_ms, stderr_apart, gzip, on_finish, slots, ...always } = rest;
  return {
    ...always,
    plugin: canonicalPluginName(plugin),
    cwd,
    payload,
    label,
    after,
    timeoutMs: timeout_ms ?? null,
    source: 'cli',
    ...given({ user, onFinish: on_finish, key }),
    ...(slots === undefined || slots === 1 ? {} : { slots }),
    ...(stderr_apart ? { stderrApart: true } : {}),
    ...(gzip ? { gzip: true } : {}),
    ...(if_ok === undefined ? {} : { ifOk: [...new Set(if_ok)] }),
    ...(delay_ms === undefined ? {} : { notBefore: now() + delay_ms }),
  };
};
