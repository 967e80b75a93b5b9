import { instanceOf } from '../wire.ts';
import type { Seen, Standing } from './judge.ts';
import type { NameSnapshot } from './name-records.ts';
import type { NameTiming } from './ports.ts';

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

/** For how long a name's holder has been away, as its rival sees it by its own monotonic clock. */
export class Absence {
  readonly #leaseMs: number;
  readonly #longMs: number;
  #holder: bigint | undefined;
  #since = 0;
  #lookedAt = 0;

  /** `leaseMs`: a presence that comes back between two looks that are no further apart lasts until the second one. */
  constructor(leaseMs: number, longMs: number) {
    this.#leaseMs = leaseMs;
    this.#longMs = longMs;
  }

  /** One look: the revision of the holder key of one who is away; undefined where nobody is. */
  see(holder: bigint | undefined): void {
    const now = performance.now();
    // Whoever has not looked for a while, as when etcd was away, has seen nothing.
    if (holder !== this.#holder || now - this.#lookedAt > this.#leaseMs) this.#since = now;
    this.#holder = holder;
    this.#lookedAt = now;
  }

  get isLong(): boolean {
    return this.#holder !== undefined && performance.now() - this.#since > this.#longMs;
  }
}

/** What is seen of somebody else who has our name, by our own monotonic clock. */
class LifeSigns {
  readonly #provenMs: number;
  readonly #longMs: number;
  #instance: string | null | undefined;
  #modRevision: bigint | undefined;
  #seenAt = 0;
  #freeSince: number | undefined;
  #hasChanged = false;

  /** A presence that lasts `provenMs` is renewed; a name is long free after `longMs`. */
  constructor(provenMs: number, longMs: number) {
    this.#provenMs = provenMs;
    this.#longMs = longMs;
  }

  /** One look: the presence's revision and instance, unless it is ours; and whether nobody holds the name. */
  see(presence: { readonly modRevision: bigint; readonly instance: string | null } | undefined, isFree: boolean): void {
    const now = performance.now();
    this.#freeSince = presence === undefined && isFree ? (this.#freeSince ?? now) : undefined;
    if (presence === undefined || this.#modRevision === undefined || presence.instance !== this.#instance) {
      this.#seenAt = now;
      this.#hasChanged = false;
    } else if (presence.modRevision !== this.#modRevision) this.#hasChanged = true;
    this.#instance = presence?.instance;
    this.#modRevision = presence?.modRevision;
  }

  /** It was written anew while we looked, or outlived its lease: there is a process behind it. */
  get isProven(): boolean {
    return this.#hasChanged || (this.#modRevision !== undefined && performance.now() - this.#seenAt > this.#provenMs);
  }

  get isLongFree(): boolean {
    return this.#freeSince !== undefined && performance.now() - this.#freeSince > this.#longMs;
  }
}
