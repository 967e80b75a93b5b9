/** A bounded queue between a writer and a reader that reads at its own pace. */
export class Mailbox<T> implements AsyncIterable<T> {
  readonly #limit: number;
  #waiting: T[] = [];
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False when the reader is too far behind: nothing was taken. */
  put(item: T): boolean {
    if (this.#isClosed || this.#waiting.length >= this.#limit) return false;
    this.#waiting.push(item);
    this.#wake();
    return true;
  }

  /** What waits is still read, and then `last`, if it is given. */
  close(last?: T): void {
    if (this.#isClosed) return;
    if (last !== undefined) this.#waiting.push(last);
    this.#isClosed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const items = this.#waiting;
      this.#waiting = [];
      yield* items;
      if (this.#waiting.length > 0) continue;
      if (this.#isClosed) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
