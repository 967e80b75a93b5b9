/**
 * What the registry holds. Teams are the border: whatever is inside one is invisible outside, but for public services.
 * Every record has a number that people see as `id`: teams and users are counted in the installation, the rest in the
 * team, and no number is given twice.
 * Values in etcd are these records with `"format": 1` (`docs/reference/keyspace.md`); `wire.ts` reads and writes them.
 */
import * as v from 'valibot';
import { isRegistryName } from '../domain/names.ts';
import { counter, orNull, text, timestamp } from '../store/document.ts';

const name = v.pipe(v.string(), v.check(isRegistryName, 'registry name'));
const role = v.picklist(['member', 'admin']);
const roles = v.record(name, role);
const visibility = v.picklist(['local', 'team', 'public']);
/** The user and the team that something is counted for; team 0: it is gone, and was not written down. */
const origin = v.object({ user: counter, team: counter });

const description = v.optional(text(1_000), '');
const common = {
  id: counter,
  description,
  /** Identity of the user who made it. What root made on a node belongs to the owner of the team; empty: to nobody. */
  owner: v.union([v.literal(''), name]),
  /** That user's number: a namesake who comes later owns nothing of it. 0: nobody. */
  owner_id: counter,
  created_at: timestamp,
  updated_at: timestamp,
};

export const team = v.object({
  ...common,
  name,
  /** Missing: root made it, or an earlier version did. */
  origin: v.exactOptional(origin),
  /** Identity → role. There may be no admin who is enabled: then root gives it one. */
  members: roles,
  /** Identities that were asked to join and have not answered. */
  invited: v.optional(roles, {}),
});

/** A person or a program that asks. Users are of the whole installation; teams have them as members. */
export const user = v.object({
  id: counter,
  description,
  created_at: timestamp,
  updated_at: timestamp,
  identity: name,
  /** The team whose admins made this user: they may set a new password, disable and delete. Null: it is gone. */
  home: v.nullable(name),
  /** Missing: an earlier version made it (`origin.ts`). */
  origin: v.exactOptional(origin),
  /** argon2id in PHC form; never leaves the registry. */
  secret_hash: text(512),
  disabled: v.boolean(),
  /** Raised by a new password and by revocation: a JWT names the one that it was made under. No clock is compared. */
  generation: counter,
});

export const worker = v.object({
  ...common,
  identity: name,
  /** SHA-256 of a token of 122 random bits: nothing to guess, so nothing to slow down. */
  token_hash: text(128),
  /** Counts the tokens; connections that were proved by an earlier one end. */
  generation: counter,
});

export const service = v.object({
  ...common,
  name,
  algorithm: v.picklist(['roundrobin', 'serial', 'mirror']),
  retry: v.picklist(['if-unstarted', 'always']),
  timeout_ms: orNull(counter),
  /** Identities in the order of their attachment. */
  workers: v.array(name),
  visibility,
});

/** A trigger of the documentation: what a write to a trigger file asks for. `trigger definition` on the command line. */
const definition = v.object({
  ...common,
  kind: v.literal('definition'),
  /** Number of the directory that it is in, and its name there: a directory moves without its content. */
  parent: counter,
  name,
  plugin: orNull(text(255)),
  service: orNull(text(127)),
  args: v.optional(v.record(text(255), text(65_536)), {}),
  timeout_ms: orNull(counter),
  visibility,
  framing: v.picklist(['write', 'line', 'close']),
  delivery: v.picklist(['async', 'sync']),
  /** False: acknowledged before it is on disk. */
  durable: v.boolean(),
  max_message: counter,
  /** How long an asynchronous message is tried; null: as the node says that it was written on. */
  deadline_ms: orNull(counter),
  /** What becomes of a message whose writer a signal has killed. Null: `drop` for framing `close`, else `send`. */
  partial: orNull(v.picklist(['send', 'drop'])),
  /** Permission bits of the file. */
  mode: counter,
});

/** A directory of the tree of trigger files; `/` is number 0, without a record. Numbers are shared with definitions. */
const directory = v.object({ ...common, kind: v.literal('directory'), parent: counter, name, mode: counter });

export const node = v.variant('kind', [definition, directory]);

/** The one that all teams of an etcd prefix share. Its random id is the audience of the tokens. */
export const installation = v.object({ id: text(64), created_at: timestamp });

/** A broker's public key for tokens, as JWK (Ed25519). Tokens of a key that is not here are void. */
export const issuer = v.object({
  broker: text(255),
  key: v.object({ kty: v.literal('OKP'), crv: v.literal('Ed25519'), x: text(64) }),
  created_at: timestamp,
});

export type Role = v.InferOutput<typeof role>;
export type Origin = Readonly<v.InferOutput<typeof origin>>;
export type Team = Readonly<v.InferOutput<typeof team>>;
export type User = Readonly<v.InferOutput<typeof user>>;
export type Worker = Readonly<v.InferOutput<typeof worker>>;
export type Service = Readonly<v.InferOutput<typeof service>>;
export type Definition = Readonly<v.InferOutput<typeof definition>>;
export type Directory = Readonly<v.InferOutput<typeof directory>>;
export type TreeNode = Definition | Directory;
export type Framing = Definition['framing'];
export type PartialMessage = NonNullable<Definition['partial']>;
export type Installation = Readonly<v.InferOutput<typeof installation>>;
export type Issuer = Readonly<v.InferOutput<typeof issuer>>;
export type IssuerKey = Issuer['key'];
