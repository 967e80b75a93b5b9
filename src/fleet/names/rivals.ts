import type { Log } from '../../kit/log.ts';
import { readable } from '../../store/document.ts';
import type { Keyspace } from '../../store/keys.ts';
import { type Holder, parseRival } from './holder.ts';

export interface RivalsOptions extends Keyspace {
  readonly self: Holder;
  readonly everyMs: number;
  readonly log: Log;
  readonly onRefused: (rival: Holder) => void;
}

/** Who else asks for a name, as its holder sees them. */
export class Rivals {
  readonly #options: RivalsOptions;
  #known: readonly Holder[] = [];
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: RivalsOptions) {
    this.#options = options;
  }

  /** Those that are refused. */
  get known(): readonly Holder[] {
    return this.#known;
  }

  /** Looks now and then. Whether somebody asks who has not had an answer yet, and whether others are known than before. */
  async look(): Promise<{ readonly isAsked: boolean; readonly isNew: boolean }> {
    const { store, keys, self, everyMs, log, onRefused } = this.#options;
    if (performance.now() - this.#lookedAt < everyMs) return { isAsked: false, isNew: false };
    const { entries } = await store.list(keys.rivals(self.node));
    this.#lookedAt = performance.now();
    const rivals = entries
      .flatMap((entry) => readable(parseRival, entry))
      .filter(({ instance }) => instance !== self.instance);
    const refused = rivals.filter((rival) => rival.refused);
    const before = new Set(this.#known.map(({ instance }) => instance));
    const news = refused.filter(({ instance }) => !before.has(instance));
    this.#known = refused;
    for (const rival of news) {
      log.error(
        { node: self.node, holder: self, refused: rival },
        'Another daemon asks for this node’s name and is refused',
      );
      onRefused(rival);
    }
    return { isAsked: rivals.length > refused.length, isNew: news.length > 0 || refused.length !== before.size };
  }
}
