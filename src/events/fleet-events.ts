import type { FiringId } from '../domain/firing.ts';
import { parseFiring } from '../firings/wire/firing.ts';
import { parseOutcome } from '../firings/wire/outcome.ts';
import { parseHolder, parseRival } from '../fleet/names/holder.ts';
import { parsePresence } from '../fleet/wire.ts';
import { readable } from '../store/document.ts';
import type { Entry, WatchEvent } from '../store/key-store.ts';
import { type Keys, lastSegment } from '../store/keys.ts';
import type { NewEvent } from './event.ts';
import { outcomeEvent, publishedEvent } from './firing-events.ts';
import { refusedFacts, takenOverFacts } from './name-events.ts';

/** What a change in etcd says to people; nothing for a key that says nothing to them, or that is malformed. */
export const fleetEvents = async (
  keys: Keys,
  change: WatchEvent,
  triggerOf: (firing: FiringId) => Promise<string | null>,
  now: number,
): Promise<NewEvent[]> => {
  const key = change.kind === 'put' ? change.entry.key : change.key;
  if (change.kind === 'delete')
    return key.startsWith(keys.nodes) ? [{ at: now, node: lastSegment(key), kind: 'node.away' }] : [];
  if (key.startsWith(keys.firings)) return firingEvents(change.entry);
  if (key.startsWith(keys.nodes)) return presenceEvents(change.entry, now);
  if (key === keys.election('sweeper')) return electionEvents(change.entry, now);
  if (key.startsWith(keys.names)) return nameEvents(keys, change.entry, now);
  if (!key.startsWith(keys.allOutcomes)) return [];
  const outcomes = readable(parseOutcome, change.entry);
  const events = outcomes.map(async (each) => outcomeEvent(each, await triggerOf(each.firing), now));
  return (await Promise.all(events)).flat();
};

const firingEvents = (entry: Entry): NewEvent[] =>
  readable(parseFiring, entry).map((firing) => publishedEvent(firing, Date.parse(firing.createdAt)));

/** The value is written again with every change of a queue: only its first time is news. */
const presenceEvents = (entry: Entry, now: number): NewEvent[] => {
  if (entry.createRevision !== entry.modRevision) return [];
  return readable(parsePresence, entry).map(({ node, version }) => ({ at: now, node, kind: 'node.present', version }));
};

/** A holder key is written when a name is taken, and once more when its lease was lost: then it says the same again. */
const nameEvents = (keys: Keys, entry: Entry, now: number): NewEvent[] => {
  const taken = readable(parseHolder, entry).filter(({ node }) => entry.key === keys.holder(node));
  const refused = readable(parseRival, entry).filter(
    ({ node, instance, refused }) => refused && entry.key === keys.rivals(node) + instance,
  );
  return [
    ...taken.flatMap((holder) =>
      holder.taken_from === null ? [] : [{ at: now, node: holder.node, ...takenOverFacts(holder, holder.taken_from) }],
    ),
    ...refused.map((rival) => ({ at: now, node: rival.node, ...refusedFacts(rival, rival.holder) })),
  ];
};

const electionEvents = (entry: Entry, now: number): NewEvent[] => {
  if (entry.createRevision !== entry.modRevision) return [];
  return readable(parseElected, entry).map((node) => ({ at: now, node, kind: 'sweeper.elected' }));
};

const parseElected = (_key: string, value: string): string => {
  const { node } = JSON.parse(value) as { readonly node?: unknown };
  if (typeof node !== 'string') throw new Error('no node');
  return node;
};
