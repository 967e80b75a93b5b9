/**
 * The registry's documents in etcd (`docs/reference/keyspace.md`) besides the records of `model.ts`, and how all of them
 * are written. Every parser throws `firing-malformed`.
 */
import * as v from 'valibot';
import { counter, format, parseDocument, text, timestamp } from '../store/document.ts';
import type { Installation, Issuer, Service, Team, TreeNode, User, Worker } from './model.ts';

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

export const parseGuard = (key: string, value: string): GuardDocument => parseDocument(guard, key, value);
export const parseHits = (key: string, value: string): HitsDocument => parseDocument(hits, key, value);
export const parseOnline = (key: string, value: string): OnlineDocument => parseDocument(online, key, value);

export const serialize = (
  document: Team | User | Worker | Service | TreeNode | Installation | Issuer | GuardDocument | OnlineDocument,
): string => JSON.stringify({ format, ...document });
export const serializeHits = (hits: number, lastAt?: string): string =>
  JSON.stringify({ format, hits, ...(lastAt === undefined ? {} : { last_at: lastAt }) });
