import * as v from 'valibot';
import { TriggerdError } from '../domain/errors.ts';
import { isPluginName, isRegistryName, printable } from '../domain/names.ts';
import { maxHitsAtOnce } from './hits.ts';
import type { Statement } from './statements.ts';

/** Passwords are hashed: without an end, a long one would be work for us. */
const secretLength = { min: 12, maxBytes: 1_024 };
const maxTimeoutMs = 365 * 86_400_000;

const name = v.pipe(
  v.string('must be a name'),
  v.check(isRegistryName, 'must be 1 to 63 letters, digits, “_”, “.” and “-”, and begin with a letter or digit'),
);
const isPath = (text: string): boolean =>
  text.length <= 2_000 && text.startsWith('/') && text.slice(1).split('/').every(isRegistryName);
const path = v.pipe(v.string('must be a path'), v.check(isPath, 'must be a path such as /alarms/disk'));
const pathOrName = v.pipe(
  v.string('must be a path or a name'),
  v.check((text) => isRegistryName(text) || isPath(text), 'must be a path such as /alarms/disk, or a name'),
);
const description = v.optional(
  v.pipe(
    v.string('must be a text'),
    v.check((text) => text.length <= 255 && !/\p{Cc}/u.test(text), 'must be one line of 255 characters at most'),
  ),
);
const secret = v.pipe(
  v.string('must be a text'),
  v.check((text) => text.length >= secretLength.min, `must have at least ${secretLength.min} characters`),
  v.check(
    (text) => Buffer.byteLength(text) <= secretLength.maxBytes,
    `must have at most ${secretLength.maxBytes} bytes`,
  ),
);
const oneOf = <const Options extends readonly string[]>(options: Options) =>
  v.picklist(options, `must be ${options.join(' or ')}`);
const role = oneOf(['member', 'admin']);
const visibility = oneOf(['local', 'team', 'public']);
const bool = v.boolean('must be true or false');
const integer = (least: number, most: number) => {
  const message = `must be a whole number from ${least} to ${most}`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(least, message), v.maxValue(most, message));
};
const timeout = v.nullable(integer(1, maxTimeoutMs));
const mode = integer(0, 0o777);
const plugin = v.nullable(v.pipe(v.string('must be a plugin'), v.check(isPluginName, 'must be the name of a plugin')));
const isServiceName = (text: string): boolean => {
  const parts = text.split('/');
  return parts.length <= 2 && parts.every(isRegistryName);
};
const qualifiedName = (what: string) =>
  v.pipe(v.string(`must be a ${what}`), v.check(isServiceName, `must be “${what}” or “team/${what}”`));
const serviceName = v.nullable(qualifiedName('service'));
const args = v.pipe(
  v.record(
    v.pipe(
      v.string(),
      v.check((text) => /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/.test(text), 'must have names of letters, digits and “_”'),
    ),
    v.nullable(
      v.pipe(
        v.string('must be a text'),
        v.maxLength(4_096, 'must have at most 4096 characters'),
        v.check((text) => !text.includes('\0'), 'may not have a NUL'),
      ),
    ),
    'must be names and values',
  ),
  v.check((record) => Object.keys(record).length <= 64, 'must have at most 64 entries'),
);

const ulid = v.pipe(v.string('must be an ID'), v.regex(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/, 'must be an ID'));
const hits = v.pipe(
  v.record(
    v.pipe(v.string(), v.regex(/^[1-9][0-9]{0,14}$/, 'must have numbers of triggers')),
    integer(0, Number.MAX_SAFE_INTEGER),
    'must be numbers and counts',
  ),
  v.check((record) => Object.keys(record).length <= maxHitsAtOnce, `must have at most ${maxHitsAtOnce} entries`),
);

const settings = {
  service: {
    description,
    algorithm: v.optional(oneOf(['roundrobin', 'serial', 'mirror'])),
    retry: v.optional(oneOf(['if-unstarted', 'always'])),
    timeout_ms: v.optional(timeout),
    visibility: v.optional(visibility),
  },
  definition: {
    description,
    plugin: v.optional(plugin),
    service: v.optional(serviceName),
    args: v.optional(args),
    timeout_ms: v.optional(timeout),
    visibility: v.optional(visibility),
    framing: v.optional(oneOf(['write', 'line', 'close'])),
    delivery: v.optional(oneOf(['async', 'sync'])),
    durable: v.optional(bool),
    max_message: v.optional(integer(1, 64 * 1_048_576)),
    deadline_ms: v.optional(timeout),
    partial: v.optional(v.nullable(oneOf(['send', 'drop']))),
    mode: v.optional(mode),
  },
};

const shape = <const Verb extends Statement['verb'], const Entries extends v.ObjectEntries>(
  verb: Verb,
  entries: Entries,
) => v.strictObject({ verb: v.literal(verb), ...entries });
const team = name;
const identity = name;

const shapes = {
  'team.add': shape('team.add', { name, description }),
  'team.set': shape('team.set', { name, description, owner: v.optional(identity) }),
  'team.list': shape('team.list', {}),
  'team.delete': shape('team.delete', { name, force: v.optional(bool) }),
  'team.invite': shape('team.invite', { team, identity, role }),
  'team.accept': shape('team.accept', { team }),
  'team.decline': shape('team.decline', { team }),
  'team.remove': shape('team.remove', { team, identity }),
  'user.add': shape('user.add', { team, identity, secret, role: v.optional(role), description }),
  'user.set': shape('user.set', {
    team,
    identity,
    secret: v.optional(secret),
    role: v.optional(role),
    disabled: v.optional(bool),
    description,
  }),
  'user.revoke': shape('user.revoke', { team, identity }),
  'user.list': shape('user.list', { team }),
  'user.delete': shape('user.delete', { team, identity }),
  'worker.add': shape('worker.add', { team, identity, description }),
  'worker.set': shape('worker.set', { team, identity, description }),
  'worker.rotate': shape('worker.rotate', { team, identity }),
  'worker.list': shape('worker.list', { team }),
  'worker.delete': shape('worker.delete', { team, identity }),
  'service.add': shape('service.add', { team, name, ...settings.service }),
  'service.set': shape('service.set', { team, name, ...settings.service }),
  'service.attach': shape('service.attach', { team, name, worker: identity }),
  'service.detach': shape('service.detach', { team, name, worker: identity }),
  'service.list': shape('service.list', { team }),
  'service.delete': shape('service.delete', { team, name }),
  'definition.add': shape('definition.add', { team, path, ...settings.definition }),
  'definition.set': shape('definition.set', { team, name: pathOrName, path: v.optional(path), ...settings.definition }),
  'definition.list': shape('definition.list', { team }),
  'definition.delete': shape('definition.delete', { team, name: pathOrName }),
  'definition.count': shape('definition.count', { team, counter: ulid, hits }),
  'directory.add': shape('directory.add', { team, path, mode: v.optional(mode) }),
  'directory.set': shape('directory.set', { team, path, to: v.optional(path), mode: v.optional(mode) }),
  'directory.list': shape('directory.list', { team }),
  'directory.delete': shape('directory.delete', { team, path }),
  'history.list': shape('history.list', {
    team,
    limit: v.optional(integer(1, 1_000)),
    service: v.optional(qualifiedName('service')),
    worker: v.optional(qualifiedName('worker')),
    request: v.optional(ulid),
  }),
} satisfies { readonly [Verb in Statement['verb']]: v.GenericSchema<unknown, { verb: Verb }> };

/**
 * Anything from outside → a statement. Throws `registry-invalid`, which names the field and never shows its value: it may
 * be a secret.
 */
export const parseStatement = (input: unknown): Statement => {
  const parsed = v.safeParse(shapes[verbOf(input)] as v.GenericSchema<unknown, Statement>, input, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const field = v.getDotPath(issue);
  throw invalid(field === null ? issue.message : `${printable(field)} ${why(issue)}`);
};

const verbOf = (input: unknown): Statement['verb'] => {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw invalid('a statement must be an object');
  const verb = 'verb' in input ? input.verb : undefined;
  if (typeof verb !== 'string' || !isVerb(verb))
    throw invalid(typeof verb === 'string' ? `there is no verb “${printable(verb)}”` : 'a statement must have a verb');
  return verb;
};

const isVerb = (verb: string): verb is Statement['verb'] => Object.hasOwn(shapes, verb);

const why = (issue: v.BaseIssue<unknown>): string => {
  if (issue.kind === 'schema' && issue.type === 'strict_object')
    return issue.expected === 'never' ? 'is not known here' : 'is missing';
  return issue.message;
};

const invalid = (message: string): TriggerdError => new TriggerdError('registry-invalid', message);
