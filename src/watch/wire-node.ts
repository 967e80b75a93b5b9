/** Presence and membership as `docs/keyspace.md` has them ↔ the domain. */
import * as v from 'valibot';
import { counter, format, instant, nodeName, parseDocument, text, toTimestamp } from './document.ts';

export interface PresenceDocument {
  readonly node: string;
  readonly version: string;
  readonly roles: readonly string[];
  /** ms since the epoch. */
  readonly startedAt: number;
  readonly queues: Readonly<Record<string, { readonly queued: number; readonly running: number }>>;
}

export interface MemberDocument {
  readonly node: string;
  /** ms since the epoch. */
  readonly firstSeenAt: number;
}

const presenceDocument = v.object({
  node: nodeName,
  version: text(64),
  roles: v.nullish(v.pipe(v.array(text(64)), v.maxLength(64)), []),
  started_at: instant,
  queues: v.nullish(v.record(text(255), v.object({ queued: counter, running: counter })), {}),
});

const memberDocument = v.object({ node: nodeName, first_seen_at: instant });

/** Throws `firing-malformed`. */
export const parsePresence = (key: string, value: string): PresenceDocument => {
  const { started_at: startedAt, ...same } = parseDocument(presenceDocument, key, value);
  return { ...same, startedAt };
};

export const serializePresence = ({ node, version, roles, startedAt, queues }: PresenceDocument): string =>
  JSON.stringify({ format, node, version, roles, started_at: toTimestamp(startedAt), queues });

/** Throws `firing-malformed`. */
export const parseMember = (key: string, value: string): MemberDocument => {
  const { node, first_seen_at: firstSeenAt } = parseDocument(memberDocument, key, value);
  return { node, firstSeenAt };
};

export const serializeMember = ({ node, firstSeenAt }: MemberDocument): string =>
  JSON.stringify({ format, node, first_seen_at: toTimestamp(firstSeenAt) });
