/** Corrections by NTP while it only slews are far smaller than this between two looks. */
const slackMs = 50;

/**
 * Notices that the wall clock was set, by the monotonic one. Times from before and after that say nothing about which was
 * first.
 */
export class ClockSteps {
  readonly #now: () => number;
  readonly #monotonic: () => number;
  #offset: number;
  #until = Number.NEGATIVE_INFINITY;

  /** Both in ms; the first since the epoch. */
  constructor(now: () => number = Date.now, monotonic: () => number = () => performance.now()) {
    this.#now = now;
    this.#monotonic = monotonic;
    this.#offset = now() - monotonic();
  }

  /** Whether a time in ms since the epoch can be compared with others: it is surely from after the clock was set last. */
  isComparable(time: number): boolean {
    const now = this.#now();
    const offset = now - this.#monotonic();
    const stepMs = offset - this.#offset;
    if (Math.abs(stepMs) > slackMs) this.#until = now + Math.max(0, -stepMs);
    this.#offset = offset;
    return time > this.#until && time <= now;
  }
}
