import { chunksOf } from '../in-windows.ts';
import type { Office } from '../office.ts';
import { readable } from '../origin.ts';
import type { Place } from '../publication.ts';
import { parseFiring } from '../wire.ts';
import { parseOutcome } from '../wire-outcome.ts';

/** Entries that are asked for in one transaction, beside the office. */
const entriesAtOnce = 100;

/**
 * Deletes a firing with its outcomes, if nobody owes it anything: no inbox has it. That can't change back, because
 * entries are written before the firing's commit only; so asking in several steps is as good as in one. A firing that
 * nobody can read stays: nobody can say to whom it is owed.
 */
export const retireFiring = async (
  place: Place & { readonly office: Office },
  id: string,
): Promise<'retired' | 'kept'> => {
  const { store, keys, office } = place;
  const entry = await store.get(keys.firing(id));
  const [firing] = entry === undefined ? [] : readable(parseFiring, entry);
  if (firing === undefined) return 'kept';
  const chunks = chunksOf(firing.targets, entriesAtOnce);
  for (const [index, chunk] of chunks.entries()) {
    const isLast = index === chunks.length - 1;
    const compare = chunk.map((node) => ({ key: keys.inbox(node, id), is: 'absent' as const }));
    const write = isLast ? [{ delete: keys.firing(id) }, { deletePrefix: keys.outcomes(id) }] : [];
    if (!(await office.commit({ compare, write }))) return 'kept';
  }
  return 'retired';
};

/**
 * When the last of its targets ended it, in ms since the epoch; 0 when none has said so, infinity while it is owed. The
 * debts are looked at first: whoever ends one then, records his outcome in the same transaction, and that is read next.
 */
export const endOfFiring = async (place: Place, id: string): Promise<number> => {
  if (await isOwed(place, id)) return Number.POSITIVE_INFINITY;
  const { entries } = await place.store.list(place.keys.outcomes(id));
  const ends = entries.flatMap((entry) => readable(parseOutcome, entry)).map(({ finishedAt }) => finishedAt ?? 0);
  return Math.max(0, ...ends.filter((at) => at > 0));
};

const isOwed = async ({ store, keys }: Place, id: string): Promise<boolean> => {
  const entry = await store.get(keys.firing(id));
  const [firing] = entry === undefined ? [] : readable(parseFiring, entry);
  for (const chunk of chunksOf(firing?.targets ?? [], entriesAtOnce)) {
    const compare = chunk.map((node) => ({ key: keys.inbox(node, id), is: 'absent' as const }));
    if (!(await store.commit({ compare, write: [] })).succeeded) return true;
  }
  return false;
};
