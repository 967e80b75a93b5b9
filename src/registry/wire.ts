/** The registry's documents in etcd (`docs/reference/keyspace.md`) ↔ its records. Every parser throws `firing-malformed`. */
import * as v from 'valibot';
import { counter, format, parseDocument, text, timestamp } from '../store/document.ts';
import {
  type Installation,
  type Issuer,
  installation,
  issuer,
  node,
  type Service,
  service,
  type Team,
  type TreeNode,
  team,
  type User,
  user,
  type Worker,
  worker,
} from './model.ts';

/** The numbers that were given, and the IDs of the last changes: by these a writer recognises its own change after a lost answer. */
const guard = v.object({ ids: v.record(text(16), counter), commits: v.optional(v.array(text(64)), []) });
/** One counter of a trigger. `last_at`: time of the last hit; earlier versions write none. */
const hits = v.object({ hits: counter, last_at: v.exactOptional(timestamp) });
/** The connected workers of one broker, as `team/identity`. */
const online = v.object({
  workers: v.record(text(130), v.object({ node: text(255), version: text(64), since: timestamp })),
});

export type GuardDocument = Readonly<v.InferOutput<typeof guard>>;
export type HitsDocument = Readonly<v.InferOutput<typeof hits>>;
type OnlineDocument = Readonly<v.InferOutput<typeof online>>;

export const parseTeam = (key: string, value: string): Team => parseDocument(team, key, value);
export const parseUser = (key: string, value: string): User => parseDocument(user, key, value);
export const parseWorker = (key: string, value: string): Worker => parseDocument(worker, key, value);
export const parseService = (key: string, value: string): Service => parseDocument(service, key, value);
export const parseNode = (key: string, value: string): TreeNode => parseDocument(node, key, value);
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
