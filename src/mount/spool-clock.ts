import type { ClockMark, MessageSpool } from './delivery-ports.ts';

export interface Clocks {
  /** ms since the epoch; people and NTP set it. */
  readonly now: () => number;
  /** ms since the machine was started, sleep included; nobody sets it. */
  readonly sinceBoot: () => number;
}

type Marks = Pick<MessageSpool, 'clockMark' | 'keepClockMark'>;

/** A wall clock that shows less was never set: the machine keeps no time while it is off, and has not heard from NTP yet. */
const earliestMs = Date.UTC(2024, 0, 1);
/** NTP that only slews moves the wall clock by far less between two looks. */
const slackMs = 1_000;
/** A mark is not older than this while somebody looks. */
const markMs = 60_000;

/**
 * Tells for how long messages have waited, whatever is done to the wall clock. While its daemon lives, it continues with the
 * time since boot. From one life to the next it continues with the wall clock, and that is the best there is; where the wall
 * clock was never set, or is behind what it showed in the life before, it stands still in between.
 */
export class SpoolClock {
  readonly #spool: Marks;
  readonly #clocks: Clocks;
  /** What is added to the time since boot. */
  readonly #offset: number;
  #mark: ClockMark | undefined;

  /** Throws `journal-failed`. */
  constructor(spool: Marks, clocks: Clocks) {
    this.#spool = spool;
    this.#clocks = clocks;
    this.#mark = spool.clockMark();
    this.#offset = goOn(this.#mark, clocks.now()) - clocks.sinceBoot();
  }

  /** ms; near the epoch's where the wall clock is not set, and never less than before. Throws `journal-failed`. */
  now(): number {
    const own = Math.round(this.#clocks.sinceBoot() + this.#offset);
    const mark = { own, wall: this.#clocks.now() };
    if (this.#mark === undefined || hasToBeKept(this.#mark, mark)) {
      this.#spool.keepClockMark(mark);
      this.#mark = mark;
    }
    return own;
  }
}

/** What the own clock shows when the wall clock shows `wall`, after a life that left this mark. */
const goOn = (mark: ClockMark | undefined, wall: number): number => {
  if (mark === undefined) return wall;
  return mark.own + (mark.wall < earliestMs ? 0 : Math.max(0, wall - mark.wall));
};

const hasToBeKept = (before: ClockMark, now: ClockMark): boolean => {
  const step = now.wall - now.own - (before.wall - before.own);
  return Math.abs(step) > slackMs || now.own - before.own > markMs;
};
