import { TriggerdError } from '../../domain/errors.ts';
import type { WholeFiring } from '../../domain/firing.ts';
import { chunksOf, inWindows } from '../../kit/in-windows.ts';
import type { Election } from '../../store/election.ts';
import type { Compare } from '../../store/key-store.ts';
import type { Keyspace } from '../../store/keyspace.ts';
import { readable } from '../../store/readable.ts';
import { readWholeFiring } from '../follow/whole-firing.ts';
import { parseOutcome } from '../wire/outcome.ts';

/** Entries that are asked for in one transaction, beside the fence. */
const entriesAtOnce = 100;
/** Firings in one transaction; each takes three operations. */
const firingsAtOnce = 40;
const readsAtOnce = 32;

type Retiring = Keyspace & { readonly election: Election };

/**
 * Deletes firings with their outcomes, if nobody owes them anything: no inbox has them. That can't change back, because
 * entries are written before a firing's commit only; so asking in several steps is as good as in one. A firing that
 * nobody can read stays: nobody can say to whom it is owed. Gives the ids of those that are gone.
 */
export const retireFirings = async (keyspace: Retiring, ids: readonly string[]): Promise<string[]> => {
  const firings = (await inWindows(ids, (id) => readFiring(keyspace, id), readsAtOnce)).flat();
  return (await inWindows(groupsOf(firings), (group) => retireGroup(keyspace, group))).flat();
};

/**
 * When the last of its targets ended it, in ms since the epoch; 0 when none has said so, infinity while it is owed. The
 * debts are looked at first: whoever ends one then, records his outcome in the same transaction, and that is read next.
 */
export const endOfFiring = async (keyspace: Keyspace, id: string): Promise<number> => {
  if (await isOwed(keyspace, id)) return Number.POSITIVE_INFINITY;
  const { entries } = await keyspace.store.list(keyspace.keys.outcomes(id));
  const ends = entries.flatMap((entry) => readable(parseOutcome, entry)).map(({ finishedAt }) => finishedAt ?? 0);
  return Math.max(0, ...ends.filter((at) => at > 0));
};

const isOwed = async (keyspace: Keyspace, id: string): Promise<boolean> => {
  for (const firing of await readFiring(keyspace, id))
    for (const chunk of chunksOf(firing.targets, entriesAtOnce)) {
      const compare = absent(keyspace, firing, chunk);
      if (!(await keyspace.store.commit({ compare, write: [] })).succeeded) return true;
    }
  return false;
};

const readFiring = async (keyspace: Keyspace, id: string): Promise<[] | [WholeFiring]> => {
  try {
    const firing = await readWholeFiring(keyspace, id);
    return firing === undefined ? [] : [firing];
  } catch (error) {
    if (error instanceof TriggerdError && error.code === 'firing-malformed') return [];
    throw error;
  }
};

/** As many as one transaction takes; what is too large for one is alone. */
const groupsOf = (firings: readonly WholeFiring[]): WholeFiring[][] => {
  const groups: WholeFiring[][] = [];
  let entries = 0;
  for (const firing of firings) {
    const group = groups.at(-1);
    entries += firing.targets.length;
    if (group !== undefined && group.length < firingsAtOnce && entries <= entriesAtOnce) group.push(firing);
    else {
      groups.push([firing]);
      entries = firing.targets.length;
    }
  }
  return groups;
};

/** All of a group in one transaction; when one of them is owed, each on its own. */
const retireGroup = async (keyspace: Retiring, group: readonly WholeFiring[]): Promise<string[]> => {
  const compare = group.flatMap((firing) => absent(keyspace, firing, firing.targets));
  if (
    compare.length <= entriesAtOnce &&
    (await keyspace.election.commit({ compare, write: deletions(keyspace, group) }))
  )
    return group.map(({ id }) => id);
  const retired: string[] = [];
  for (const firing of group) if (await retireOne(keyspace, firing)) retired.push(firing.id);
  return retired;
};

const retireOne = async (keyspace: Retiring, firing: WholeFiring): Promise<boolean> => {
  const chunks = chunksOf(firing.targets, entriesAtOnce);
  for (const [index, chunk] of chunks.entries()) {
    const write = index === chunks.length - 1 ? deletions(keyspace, [firing]) : [];
    if (!(await keyspace.election.commit({ compare: absent(keyspace, firing, chunk), write }))) return false;
  }
  return true;
};

const absent = ({ keys }: Keyspace, { id }: WholeFiring, nodes: readonly string[]): Compare[] =>
  nodes.map((node) => ({ key: keys.inbox(node, id), is: 'absent' }));

const deletions = ({ keys }: Keyspace, firings: readonly WholeFiring[]) =>
  firings.flatMap(({ id }) => [
    { delete: keys.firing(id) },
    { delete: keys.targets(id) },
    { deletePrefix: keys.outcomes(id) },
  ]);
