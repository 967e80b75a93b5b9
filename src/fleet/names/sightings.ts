import { instanceOf } from '../wire.ts';
import { Absence } from './absence.ts';
import type { Seen, Standing } from './judge.ts';
import { LifeSigns } from './life-signs.ts';
import type { NameSnapshot } from './name-records.ts';
import type { NameTiming } from './options.ts';

/** What was seen of whoever else has our name, look by look. */
export class Sightings {
  readonly #instance: string;
  readonly #signs: LifeSigns;
  readonly #absence: Absence;

  /** `instance`: our own. */
  constructor(instance: string, { presenceS, holderS, goneS }: NameTiming) {
    this.#instance = instance;
    this.#signs = new LifeSigns(presenceS * 2_000, holderS * 750);
    this.#absence = new Absence(presenceS * 1_000, goneS * 1_000);
  }

  /** One look. Gives what it says by itself, and what all looks together say. */
  see({
    holder,
    document,
    presence,
  }: NameSnapshot): readonly [Seen, Pick<Standing, 'isProven' | 'isLongFree' | 'isLongGone'>] {
    const instance = presence && instanceOf(presence);
    const isOther = instance !== undefined && instance !== this.#instance;
    this.#signs.see(presence && isOther ? { modRevision: presence.modRevision, instance } : undefined, !holder);
    // Without a lease it is kept for an administrator to give away.
    this.#absence.see(!isOther && holder?.isLeased ? holder.modRevision : undefined);
    const { isProven, isLongFree } = this.#signs;
    return [
      { holder: holder && (document ?? 'unreadable'), presence: instance === undefined ? undefined : { instance } },
      { isProven, isLongFree, isLongGone: this.#absence.isLong },
    ];
  }
}
