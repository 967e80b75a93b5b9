import { TriggerdError } from '../../domain/errors.ts';
import { isFiringId, timeOfFiringId, type WholeFiring } from '../../domain/firing.ts';
import { chunksOf, inWindows } from '../../kit/in-windows.ts';
import { readable } from '../../store/document.ts';
import type { Election } from '../../store/election.ts';
import type { Compare } from '../../store/key-store.ts';
import { type Keyspace, lastSegment } from '../../store/keys.ts';
import { readWholeFiring } from '../follow/follow-firing.ts';
import { parseOutcome } from '../wire/outcome.ts';
import { type RoundOptions, type Swept, Walk } from './part.ts';

const agedPage = 200;
const countPage = 2_000;
/** To find the oldest, no more than this many are looked at. */
const maxCounted = 1_000_000;
/** How many firings one round retires at most for their number; the next one follows soon. */
const maxRetired = 5_000;

/**
 * Firings that have ended, with their outcomes. Two rules: *too old*, counted from their end; *too many*, by the order in
 * which etcd saw them. What is still owed to anybody stays, however old it is and however many there are.
 */
export class HistorySweep {
  readonly #options: RoundOptions;
  readonly #aged: Walk;
  /** Still owed when they were last looked at; the younger ones have their turn first. */
  readonly #owed = new Set<string>();

  constructor(options: RoundOptions) {
    this.#options = options;
    this.#aged = new Walk(options.store, options.keys.firings, agedPage);
  }

  async sweep(): Promise<Swept> {
    const tooOld = await this.#retireOld();
    const tooMany = await this.#retireSurplus();
    return { did: { retired: tooOld + tooMany.retired }, isComplete: tooMany.isComplete };
  }

  /** Ids begin with a time, so the walk looks no further than the first young one. */
  async #retireOld(): Promise<number> {
    const { clock, firingsMaxAgeMs } = this.#options;
    const endedBefore = clock.now() - firingsMaxAgeMs;
    const { entries } = await this.#aged.next();
    const ids = entries.map(({ key }) => lastSegment(key)).filter(isFiringId);
    const old = ids.filter((id) => timeOfFiringId(id) < endedBefore);
    if (old.length < ids.length) this.#aged.restart();
    // The publisher's clock may be wrong, and a firing may have waited: what counts is when its targets ended it.
    const ends = await inWindows(old, (id) => endOfFiring(this.#options, id));
    const over = old.filter((_, index) => (ends[index] ?? 0) < endedBefore);
    return (await retireFirings(this.#options, over)).length;
  }

  async #retireSurplus(): Promise<{ retired: number; isComplete: boolean }> {
    const { store, keys, firingsKept } = this.#options;
    const surplus = (await store.count(keys.firings)) - firingsKept;
    // To find the oldest takes a walk through all: not for every single one.
    if (surplus <= Math.min(1_000, Math.floor(firingsKept / 100))) return { retired: 0, isComplete: true };
    const ids = await this.#oldest(Math.min(surplus, maxRetired));
    const retired = new Set(await retireFirings(this.#options, ids));
    for (const id of ids) if (!retired.has(id)) this.#owed.add(id);
    return { retired: retired.size, isComplete: surplus <= maxRetired || retired.size === 0 };
  }

  async #oldest(count: number): Promise<string[]> {
    const { store, keys } = this.#options;
    const walk = new Walk(store, keys.firings, countPage);
    const all: { id: string; createRevision: bigint }[] = [];
    for (;;) {
      const { entries, atEnd } = await walk.next();
      all.push(...entries.map(({ key, createRevision }) => ({ id: lastSegment(key), createRevision })));
      if (atEnd || all.length >= maxCounted) break;
    }
    const inOrder = all.sort((a, b) => Number(a.createRevision - b.createRevision));
    const candidates = inOrder.filter(({ id }) => !this.#owed.has(id));
    if (candidates.length <= this.#options.firingsKept) this.#owed.clear();
    return candidates.slice(0, count).map(({ id }) => id);
  }
}

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
const retireFirings = async (keyspace: Retiring, ids: readonly string[]): Promise<string[]> => {
  const firings = (await inWindows(ids, (id) => readFiring(keyspace, id), readsAtOnce)).flat();
  return (await inWindows(groupsOf(firings), (group) => retireGroup(keyspace, group))).flat();
};

/**
 * When the last of its targets ended it, in ms since the epoch; 0 when none has said so, infinity while it is owed. The
 * debts are looked at first: whoever ends one then, records his outcome in the same transaction, and that is read next.
 */
const endOfFiring = async (keyspace: Keyspace, id: string): Promise<number> => {
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
