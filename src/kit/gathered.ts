/**
 * Gathers what is added within one turn of the event loop, so that it shares one commit: everybody who was ready has been
 * heard by then, and nobody waits for a timer.
 */
export class Gathered<T> {
  readonly #commit: (items: readonly T[]) => void;
  #items: T[] = [];
  #committed: Promise<void> | undefined;

  /** `commit` takes all, or throws. */
  constructor(commit: (items: readonly T[]) => void) {
    this.#commit = commit;
  }

  /** Resolves when the commit has taken it; rejects, for all that share the commit, with what that throws. */
  add(item: T): Promise<void> {
    this.#items.push(item);
    this.#committed ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        const items = this.#items;
        this.#items = [];
        this.#committed = undefined;
        try {
          resolve(this.#commit(items));
        } catch (thrown) {
          reject(thrown);
        }
      });
    });
    return this.#committed;
  }
}
