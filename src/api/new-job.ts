import * as v from 'valibot';
import { type JobRequest, maxWords } from '../domain/job.ts';
import { given } from '../kit/given.ts';
import { canonicalPluginName } from '../plugin/plugin-name.ts';
import { listedCommandLength } from '../queue/ports/journal.ts';
import { durationMs, name, positiveInteger, slots, stringMap, text } from './schemas.ts';

const environment = v.record(v.pipe(text(128), v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/)), text(100_000));
const absolute = v.pipe(text(4096), v.startsWith('/', 'Expected an absolute path'));

export const newJobBody = v.strictObject({
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
export const requestOf = (body: Body, now: () => number): JobRequest => {
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
