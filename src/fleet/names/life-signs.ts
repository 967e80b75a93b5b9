/** What is seen of somebody else who has our name, by our own monotonic clock. */
export class LifeSigns {
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
