import type { Entry, KeyStore, Page } from '../../store/key-store.ts';

/** Walks through all keys with a prefix, page by page, over as many rounds as that takes; then begins anew. */
export class Walk {
  readonly #store: Pick<KeyStore, 'page'>;
  readonly #prefix: string;
  readonly #limit: number;
  #after: string | undefined;

  constructor(store: Pick<KeyStore, 'page'>, prefix: string, limit: number) {
    this.#store = store;
    this.#prefix = prefix;
    this.#limit = limit;
  }

  /** The next page, keys only; `atEnd`: the next one will be the first again. */
  async next(): Promise<{ readonly entries: readonly Entry[]; readonly atEnd: boolean }> {
    const { entries, more }: Page = await this.#store.page(this.#prefix, {
      after: this.#after,
      limit: this.#limit,
      keysOnly: true,
    });
    this.#after = more ? entries.at(-1)?.key : undefined;
    return { entries, atEnd: !more };
  }

  restart(): void {
    this.#after = undefined;
  }
}
