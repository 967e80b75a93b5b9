/** More than this is observed later, when some of it is gone. */
const maxKeys = 200_000;

interface Sighting {
  readonly revision: bigint;
  /** Monotonic ms. */
  readonly since: number;
  pass: number;
}

/**
 * For how long keys have stayed as they are, by our own monotonic clock: no clock of another machine says anything about
 * whether somebody has abandoned what he began.
 */
export class Observed {
  readonly #sightings = new Map<string, Sighting>();
  #pass = 0;

  /** How long this key has been seen with this revision; 0 the first time. */
  see(key: string, revision: bigint): number {
    const now = performance.now();
    const before = this.#sightings.get(key);
    if (before?.revision === revision) {
      before.pass = this.#pass;
      return now - before.since;
    }
    if (before !== undefined || this.#sightings.size < maxKeys)
      this.#sightings.set(key, { revision, since: now, pass: this.#pass });
    return 0;
  }

  /** All keys have been walked through: what was not seen on the way is gone. */
  endPass(): void {
    for (const [key, { pass }] of this.#sightings) if (pass !== this.#pass) this.#sightings.delete(key);
    this.#pass++;
  }
}
