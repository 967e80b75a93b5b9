import * as v from 'valibot';
import { maxWords } from '../../domain/job.ts';
import { canonicalPluginName } from '../../plugin/plugin-name.ts';
import { durationMs, name, positiveInteger, stringMap, text } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { jobView } from '../views.ts';

const environment = v.record(v.pipe(text(128), v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/)), text(100_000));
const absolute = v.pipe(text(4096), v.startsWith('/', 'Expected an absolute path'));

const body = v.strictObject({
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
  urgent: v.optional(v.boolean(), false),
  noop: v.optional(v.boolean(), false),
  user: v.optional(text(64)),
});

export const addJob: Verb = (app, { queues }) => {
  app.post('/v1/jobs', { schema: { body } }, async ({ body }, reply) => {
    const { timeout_ms, cwd = null, payload = null, label = null, after = null, plugin, user, ...rest } = body;
    const request = {
      ...rest,
      plugin: canonicalPluginName(plugin),
      cwd,
      payload,
      label,
      after,
      ...(user === undefined ? {} : { user }),
    };
    const job = queues.add({ ...request, timeoutMs: timeout_ms ?? null, source: 'cli' });
    return reply.code(201).send(jobView(job));
  });
};
