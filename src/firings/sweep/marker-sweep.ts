import type { Entry } from '../../store/key-store.ts';
import { lastSegment } from '../../store/keys.ts';
import { Observed, type RoundOptions, type Swept, Walk } from './part.ts';

const pageSize = 1_000;

/**
 * Publications that were begun and not committed. When their marker has not changed for long enough, their publisher is
 * gone: marker and list of targets are deleted, and the publisher, should it live after all, starts anew. Their entries go next.
 */
export class MarkerSweep {
  readonly #options: RoundOptions;
  readonly #observed = new Observed();
  readonly #walk: Walk;

  constructor(options: RoundOptions) {
    this.#options = options;
    this.#walk = new Walk(options.store, options.keys.publications, pageSize);
  }

  async sweep(): Promise<Swept> {
    const { entries, atEnd } = await this.#walk.next();
    let abandoned = 0;
    for (const marker of entries) if (await this.#sweepMarker(marker)) abandoned++;
    if (atEnd) this.#observed.endPass();
    return { did: { abandoned }, isComplete: atEnd };
  }

  async #sweepMarker({ key, createRevision, modRevision }: Entry): Promise<boolean> {
    const { election, keys, abandonedMs } = this.#options;
    if (this.#observed.see(key, modRevision) < abandonedMs) return false;
    return election.commit({
      compare: [
        { key, createRevision },
        { key, modRevision },
      ],
      write: [{ delete: key }, { delete: keys.targets(lastSegment(key)) }],
    });
  }
}
