/** Presence and membership as `docs/reference/keyspace.md` has them ↔ the domain. */

import * as v from 'valibot';
import { counter, format, instant, nodeName, orNull, parseDocument, text, toTimestamp } from '../store/document.ts';
import type { Entry } from '../store/key-store.ts';
import { type MachineName, machineName } from './names/holder.ts';

export interface PresenceDocument {
  readonly node: string;
  readonly version: string;
  /** Of this start of the daemon; null where an earlier version wrote it. */
  readonly instance: string | null;
  readonly roles: readonly string[];
  /** ms since the epoch. */
  readonly startedAt: number;
  readonly queues: Readonly<Record<string, { readonly queued: number; readonly running: number }>>;
}

export interface MemberDocument {
  readonly node: string;
  /** ms since the epoch. */
  readonly firstSeenAt: number;
  /** That had the name last; null where an earlier version wrote it. */
  readonly machine: MachineName | null;
}

const presenceDocument = v.object({
  node: nodeName,
  version: text(64),
  instance: orNull(text(64)),
  roles: v.nullish(v.pipe(v.array(text(64)), v.maxLength(64)), []),
  started_at: instant,
  queues: v.nullish(v.record(text(255), v.object({ queued: counter, running: counter })), {}),
});

const memberDocument = v.object({ node: nodeName, first_seen_at: instant, machine: orNull(machineName) });

/** Throws `firing-malformed`. */
export const parsePresence = (key: string, value: string): PresenceDocument => {
  const { started_at: startedAt, ...same } = parseDocument(presenceDocument, key, value);
  return { ...same, startedAt };
};

/** Null where an earlier version wrote it, or nobody can read it. */
export const instanceOf = ({ key, value }: Entry): string | null => {
  try {
    return parsePresence(key, value).instance;
  } catch {
    return null;
  }
};

export const serializePresence = ({ node, version, instance, roles, startedAt, queues }: PresenceDocument): string =>
  JSON.stringify({ format, node, version, instance, roles, started_at: toTimestamp(startedAt), queues });

/** Throws `firing-malformed`. */
export const parseMember = (key: string, value: string): MemberDocument => {
  const { first_seen_at: firstSeenAt, ...same } = parseDocument(memberDocument, key, value);
  return { ...same, firstSeenAt };
};

export const serializeMember = ({ node, firstSeenAt, machine }: MemberDocument): string =>
  JSON.stringify({ format, node, first_seen_at: toTimestamp(firstSeenAt), machine });
