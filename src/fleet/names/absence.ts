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
