/** The registry's documents in etcd (`docs/reference/keyspace.md`) ↔ its records. Every parser throws `firing-malformed`. */
import * as v from 'valibot';
import { isRegistryName } from '../domain/names.ts';
import { counter, format, orNull, parseDocument, text, timestamp } from '../store/document.ts';
import type { Definition, Directory, Installation, Issuer, Service, Team, TreeNode, User, Worker } from './model.ts';

const name = v.pipe(v.string(), v.check(isRegistryName, 'registry name'));
const owner = v.union([v.literal(''), name]);
const common = {
  id: counter,
  description: v.optional(text(1_000), ''),
  owner,
  owner_id: counter,
  created_at: timestamp,
  updated_at: timestamp,
};
const role = v.picklist(['member', 'admin']);
const visibility = v.picklist(['local', 'team', 'public']);
const roles = v.record(name, role);
const origin = v.exactOptional(v.object({ user: counter, team: counter }));

const team = v.object({ ...common, name, origin, members: roles, invited: v.optional(roles, {}) });
const user = v.object({
  id: counter,
  description: v.optional(text(1_000), ''),
  created_at: timestamp,
  updated_at: timestamp,
  identity: name,
  home: v.nullable(name),
  origin,
  secret_hash: text(512),
  disabled: v.boolean(),
  generation: counter,
});
const worker = v.object({ ...common, identity: name, token_hash: text(128), generation: counter });
const service = v.object({
  ...common,
  name,
  algorithm: v.picklist(['roundrobin', 'serial', 'mirror']),
  retry: v.picklist(['if-unstarted', 'always']),
  timeout_ms: orNull(counter),
  workers: v.array(name),
  visibility,
});
const definition = v.object({
  ...common,
  kind: v.literal('definition'),
  parent: counter,
  name,
  plugin: orNull(text(255)),
  service: orNull(text(127)),
  args: v.optional(v.record(text(255), text(65_536)), {}),
  timeout_ms: orNull(counter),
  visibility,
  framing: v.picklist(['write', 'line', 'close']),
  delivery: v.picklist(['async', 'sync']),
  durable: v.boolean(),
  max_message: counter,
  deadline_ms: orNull(counter),
  partial: orNull(v.picklist(['send', 'drop'])),
  mode: counter,
});
const directory = v.object({ ...common, kind: v.literal('directory'), parent: counter, name, mode: counter });
const node = v.variant('kind', [definition, directory]);
const installation = v.object({ id: text(64), created_at: timestamp });
const issuer = v.object({
  broker: text(255),
  key: v.object({ kty: v.literal('OKP'), crv: v.literal('Ed25519'), x: text(64) }),
  created_at: timestamp,
});
const guard = v.object({ ids: v.record(text(16), counter), commits: v.optional(v.array(text(64)), []) });
/** `last_at`: of the last hit. Earlier versions write none. */
const hits = v.object({ hits: counter, last_at: v.exactOptional(timestamp) });
const online = v.object({
  workers: v.record(text(130), v.object({ node: text(255), version: text(64), since: timestamp })),
});

/** What numbers have been given, and the ids of the last changes: by these a writer knows its own after a lost answer. */
export interface GuardDocument {
  readonly ids: Readonly<Record<string, number>>;
  readonly commits: readonly string[];
}

/** Of one counter of a trigger. */
export interface HitsDocument {
  readonly hits: number;
  readonly last_at?: string;
}

/** Of one broker: its connected workers as `team/identity`. */
export interface OnlineDocument {
  readonly workers: Readonly<
    Record<string, { readonly node: string; readonly version: string; readonly since: string }>
  >;
}

export const parseTeam = (key: string, value: string): Team => parseDocument(team, key, value);
export const parseUser = (key: string, value: string): User => parseDocument(user, key, value);
export const parseWorker = (key: string, value: string): Worker => parseDocument(worker, key, value);
export const parseService = (key: string, value: string): Service => parseDocument(service, key, value);
export const parseNode = (key: string, value: string): Definition | Directory => parseDocument(node, key, value);
export const parseInstallation = (key: string, value: string): Installation => parseDocument(installation, key, value);
export const parseIssuer = (key: string, value: string): Issuer => parseDocument(issuer, key, value);
export const parseGuard = (key: string, value: string): GuardDocument => parseDocument(guard, key, value);
export const parseHits = (key: string, value: string): HitsDocument => parseDocument(hits, key, value);
export const parseOnline = (key: string, value: string): OnlineDocument => parseDocument(online, key, value);

export const serialize = (
  document: Team | User | Worker | Service | TreeNode | Installation | Issuer | GuardDocument | OnlineDocument,
): string => JSON.stringify({ format, ...document });
export const serializeHits = (hits: number, lastAt?: string): string =>
  JSON.stringify({ format, hits, ...(lastAt === undefined ? {} : { last_at: lastAt }) });
