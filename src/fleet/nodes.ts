import { isNodeName } from '../domain/names.ts';
import { byName, readable } from '../store/document.ts';
import type { Listing } from '../store/key-store.ts';
import type { Keys, Keyspace } from '../store/keys.ts';
import { type Holder, parseHolder, parseRival } from './names/holder.ts';
import { type PresenceDocument, parseMember, parsePresence } from './wire.ts';

export interface NodeStatus {
  readonly node: string;
  readonly present: boolean;
  /** Null while it is away, like everything that only its presence tells. */
  readonly version: string | null;
  readonly roles: readonly string[];
  /** ms since the epoch. */
  readonly startedAt: number | null;
  readonly queues: PresenceDocument['queues'];
  /** ms since the epoch. */
  readonly firstSeenAt: number | null;
  /** The process that has the name, or had it within the last minutes. */
  readonly holder: Holder | null;
  /** Other processes that ask for the name. */
  readonly refused: readonly Holder[];
}

/** All members and everybody who is present, by name. */
export const nodes = async ({ store, keys }: Keyspace): Promise<NodeStatus[]> => {
  const [members, present, named] = await Promise.all([
    store.list(keys.members),
    store.list(keys.nodes),
    store.list(keys.names),
  ]);
  const firstSeen = byName(members, parseMember);
  const presences = byName(present, parsePresence);
  const { holders, rivals } = whoAsks(keys, named);
  const names = new Set([...firstSeen.keys(), ...presences.keys()]);
  // Shells complete them: a key that somebody has made up is no name.
  return [...names]
    .filter(isNodeName)
    .sort()
    .map((node) => {
      const presence = presences.get(node);
      return {
        node,
        present: presence !== undefined,
        version: presence?.version ?? null,
        roles: presence?.roles ?? [],
        startedAt: presence?.startedAt ?? null,
        queues: presence?.queues ?? {},
        firstSeenAt: firstSeen.get(node)?.firstSeenAt ?? null,
        holder: holderBehind(presence, holders.get(node)),
        refused: rivals.filter((rival) => rival.node === node),
      };
    });
};

/** Null where an earlier version is up: whoever had the name before has given way. */
const holderBehind = (presence: PresenceDocument | undefined, holder: Holder | undefined): Holder | null =>
  presence === undefined || presence.instance === holder?.instance ? (holder ?? null) : null;

/** Who has names, and who asks for them and is refused. */
const whoAsks = (keys: Keys, { entries }: Listing) => ({
  holders: new Map(
    entries
      .flatMap((entry) => readable(parseHolder, entry).filter(({ node }) => entry.key === keys.holder(node)))
      .map((holder) => [holder.node, holder]),
  ),
  rivals: entries.flatMap((entry) =>
    readable(parseRival, entry).filter(({ node, refused }) => refused && entry.key.startsWith(keys.rivals(node))),
  ),
});
