/** The origin's side: what has been fired, and what every target has said about it. */
import { TriggerdError } from '../domain/errors.ts';
import type { Firing, FiringId, WholeFiring } from '../domain/firing.ts';
import { isNodeName } from '../domain/names.ts';
import { type Outcome, owedOutcome } from '../domain/outcome.ts';
import { type Keys, lastSegment } from './keys.ts';
import { type Holder, parseHolder, parseRival } from './names/holder.ts';
import type { Entry, Listing } from './ports.ts';
import type { Place } from './publication.ts';
import { readWholeFiring } from './whole-firing.ts';
import { parseFiring } from './wire.ts';
import { type PresenceDocument, parseMember, parsePresence } from './wire-node.ts';
import { parseOutcome } from './wire-outcome.ts';

export interface FiringStatus {
  readonly firing: WholeFiring;
  /** One for every target, in the firing's order; `owed` where the target has said nothing yet. */
  readonly outcomes: readonly Outcome[];
}

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

/** The newest first, large ones without their targets. What is not a firing is left out. */
export const recentFirings = async ({ store, keys }: Place, limit: number): Promise<Firing[]> =>
  (await store.newest(keys.firings, limit)).flatMap((entry) => readable(parseFiring, entry));

/** Throws `firing-not-found`, `firing-malformed`, and the store's errors. */
export const firingStatus = async (place: Place, id: FiringId): Promise<FiringStatus> =>
  (await statusWithListing(place, id)).status;

/** All members and everybody who is present, by name. */
export const nodes = async ({ store, keys }: Place): Promise<NodeStatus[]> => {
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

/** The status, and the listing that it comes from: a watch of the outcomes goes on from there. */
export const statusWithListing = async (
  place: Place,
  id: FiringId,
): Promise<{ status: FiringStatus; listing: Listing }> => {
  const firing = await readWholeFiring(place, id);
  if (firing === undefined) throw new TriggerdError('firing-not-found', `there is no firing ${id} in etcd`);
  const listing = await place.store.list(place.keys.outcomes(id));
  const said = byName(listing, parseOutcome);
  const outcomes = firing.targets.map((node) => said.get(node) ?? owedOutcome(id, node));
  return { status: { firing, outcomes }, listing };
};

type Parse<T> = (key: string, value: string) => T;

/** Nothing for what is malformed: one bad key must not hide the others. */
export const readable = <T>(parse: Parse<T>, { key, value }: Entry): [] | [T] => {
  try {
    return [parse(key, value)];
  } catch {
    return [];
  }
};

const byName = <T>({ entries }: Listing, parse: Parse<T>): Map<string, T> =>
  new Map(entries.flatMap((entry) => readable(parse, entry).map((document) => [lastSegment(entry.key), document])));
