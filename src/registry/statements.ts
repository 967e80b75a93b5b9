/**
 * Everything that can be asked of the registry, one shape each. The console's grammar, `trigger team|user|…`, the bus
 * and the control API all make these and nothing else; the rules (`rules/`, one file per noun) carry them out. A statement
 * that comes from outside is checked against its shape before anything looks at it.
 */
import * as v from 'valibot';
import { TriggerdError } from '../domain/errors.ts';
import type { RequestStatement } from '../domain/live-request.ts';
import { isPluginName, isRegistryName, printable } from '../domain/names.ts';

/** etcd takes so many operations in one transaction. */
export const maxHitsAtOnce = 100;
/** Passwords are hashed: a limit bounds that work. */
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
const description = v.exactOptional(
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

const serviceSettings = {
  description,
  algorithm: v.exactOptional(oneOf(['roundrobin', 'serial', 'mirror'])),
  retry: v.exactOptional(oneOf(['if-unstarted', 'always'])),
  /** ms; null: none. */
  timeout_ms: v.exactOptional(timeout),
  visibility: v.exactOptional(visibility),
};
const definitionSettings = {
  description,
  plugin: v.exactOptional(plugin),
  /** A service of the team, or `team/service`; never a worker's identity. */
  service: v.exactOptional(v.nullable(qualifiedName('service'))),
  /** Joins what is there: other names stay, null takes one away. */
  args: v.exactOptional(args),
  timeout_ms: v.exactOptional(timeout),
  visibility: v.exactOptional(visibility),
  framing: v.exactOptional(oneOf(['write', 'line', 'close'])),
  delivery: v.exactOptional(oneOf(['async', 'sync'])),
  durable: v.exactOptional(bool),
  max_message: v.exactOptional(integer(1, 64 * 1_048_576)),
  /** ms; null: the node's. */
  deadline_ms: v.exactOptional(timeout),
  /** Null: by the framing. */
  partial: v.exactOptional(v.nullable(oneOf(['send', 'drop']))),
  mode: v.exactOptional(mode),
};

export type DefinitionSettings = Output<typeof definitionSettings>;

const team = name;
const identity = name;

/** Each statement acts in `team` where it has one. */
const fields = {
  'team.add': { name, description },
  'team.set': { name, description, owner: v.exactOptional(identity) },
  'team.list': {},
  /** `force`, for root: with all that it holds. */
  'team.delete': { name, force: v.exactOptional(bool) },
  /** The user has to accept, unless an admin of the installation asks. */
  'team.invite': { team, identity, role },
  'team.accept': { team },
  'team.decline': { team },
  'team.remove': { team, identity },
  'user.add': { team, identity, secret, role: v.exactOptional(role), description },
  'user.set': {
    team,
    identity,
    secret: v.exactOptional(secret),
    role: v.exactOptional(role),
    disabled: v.exactOptional(bool),
    description,
  },
  /** Ends every token of this user. */
  'user.revoke': { team, identity },
  'user.list': { team },
  'user.delete': { team, identity },
  /** Answers with the token, this once. */
  'worker.add': { team, identity, description },
  'worker.set': { team, identity, description },
  /** A new token, shown this once; connections by the old one end. */
  'worker.rotate': { team, identity },
  'worker.list': { team },
  'worker.delete': { team, identity },
  'service.add': { team, name, ...serviceSettings },
  'service.set': { team, name, ...serviceSettings },
  'service.attach': { team, name, worker: identity },
  'service.detach': { team, name, worker: identity },
  'service.list': { team },
  'service.delete': { team, name },
  'definition.add': { team, path, ...definitionSettings },
  /** `name` is a path, or the bare name where only one definition of the team has it; ambiguity is an error. */
  'definition.set': { team, name: pathOrName, path: v.exactOptional(path), ...definitionSettings },
  'definition.list': { team },
  'definition.delete': { team, name: pathOrName },
  /**
   * How often a mount without etcd has hit each trigger file, ever, by its number. Hits of triggers that the user cannot
   * see, and the 1,001st counter of a trigger, are left out. `counter`: the journal that counts.
   */
  'definition.count': { team, counter: ulid, hits },
  'directory.add': { team, path, mode: v.exactOptional(mode) },
  'directory.set': { team, path, to: v.exactOptional(path), mode: v.exactOptional(mode) },
  'directory.list': { team },
  'directory.delete': { team, path },
  /** Requests that have ended, newest first. */
  'history.list': {
    team,
    limit: v.exactOptional(integer(1, 1_000)),
    service: v.exactOptional(qualifiedName('service')),
    worker: v.exactOptional(qualifiedName('worker')),
    request: v.exactOptional(ulid),
  },
};

type Verb = keyof typeof fields;
type Output<Entries extends v.ObjectEntries> = NonNullable<v.ObjectSchema<Entries, undefined>['~types']>['output'];

export type Statement = {
  [V in Verb]: { readonly verb: V } & Readonly<Output<(typeof fields)[V]>>;
}[Verb];

/** What every statement answers: rows of a kind (a list has all of them, a change the one that it made), and notices for people. */
export interface Answer {
  readonly kind: (Statement | RequestStatement)['verb'] extends `${infer Kind}.${string}` ? Kind : never;
  /** As the tables show them: `rows.ts`; of `history`, `RequestRecord`s; of `request`, `LiveRequest`s, by a broker. */
  readonly rows: readonly object[];
  readonly notices: readonly string[];
  /** With lists of the tree, if `seen` was given: the revision of this answer. */
  readonly revision?: string;
  /** Nothing has changed since revision `seen`: `rows` is empty. */
  readonly unchanged?: true;
}

/**
 * Anything from outside → a statement. Throws `registry-invalid`, which names the field and never shows its value: it may
 * be a secret.
 */
export const parseStatement = (input: unknown): Statement => {
  const verb = verbOf(input);
  const shape = v.strictObject({ verb: v.literal(verb), ...fields[verb] });
  const parsed = v.safeParse(shape, input, { abortEarly: true });
  if (parsed.success) return parsed.output as Statement;
  const [issue] = parsed.issues;
  const field = v.getDotPath(issue);
  throw invalid(field === null ? issue.message : `${printable(field)} ${why(issue)}`);
};

const verbOf = (input: unknown): Verb => {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw invalid('a statement must be an object');
  const verb = 'verb' in input ? input.verb : undefined;
  if (typeof verb !== 'string' || !isVerb(verb))
    throw invalid(typeof verb === 'string' ? `there is no verb “${printable(verb)}”` : 'a statement must have a verb');
  return verb;
};

const isVerb = (verb: string): verb is Verb => Object.hasOwn(fields, verb);

const why = (issue: v.BaseIssue<unknown>): string => {
  if (issue.kind === 'schema' && issue.type === 'strict_object')
    return issue.expected === 'never' ? 'is not known here' : 'is missing';
  return issue.message;
};

const invalid = (message: string): TriggerdError => new TriggerdError('registry-invalid', message);
