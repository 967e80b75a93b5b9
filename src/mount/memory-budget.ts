import { FsError } from './errno.ts';

/** Bytes that all open files together may hold in memory. */
export class MemoryBudget {
  readonly #limit: number;
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  /** Throws ENOSPC where so many more would be too many. */
  assertSpace(bytes: number): void {
    if (this.#held + bytes > this.#limit) throw new FsError('ENOSPC', `open files hold ${this.#held} bytes already`);
  }

  take(bytes: number): void {
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}
