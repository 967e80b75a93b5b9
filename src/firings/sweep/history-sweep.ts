import { isFiringId, timeOfFiringId } from '../../domain/firing.ts';
import { inWindows } from '../../kit/in-windows.ts';
import { lastSegment } from '../../store/keys.ts';
import type { RoundOptions, Swept } from './part.ts';
import { endOfFiring, retireFirings } from './retire-firings.ts';
import { Walk } from './walk.ts';

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
