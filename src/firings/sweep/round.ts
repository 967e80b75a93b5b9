import { FenceLost } from '../../store/election.ts';
import type { Entry } from '../../store/key-store.ts';
import { lastSegment } from '../../store/keys.ts';
import { HistorySweep } from './history-sweep.ts';
import { InboxSweep } from './inbox-sweep.ts';
import { Observed, type RoundOptions, type Swept, Walk } from './part.ts';
import { RequestSweep } from './request-sweep.ts';

/**
 * One round after the other, each of bounded work; what one leaves, the next one continues with. The order matters: a
 * marker goes before the entries that it announced, so that a slow publisher meets its own missing marker first.
 */
export class Round {
  readonly #options: RoundOptions;
  readonly #parts: readonly { sweep(): Promise<Swept> }[];

  constructor(options: RoundOptions) {
    this.#options = options;
    this.#parts = [
      new MarkerSweep(options),
      new InboxSweep(options),
      new HistorySweep(options),
      new RequestSweep(options),
    ];
  }

  /** Throws `FenceLost` and the store's errors. */
  async make(): Promise<{ readonly isComplete: boolean }> {
    // A round that finds nothing to write should notice all the same that it is another one's turn.
    await this.#options.election.commit({ compare: [], write: [] });
    const swept: Swept[] = [];
    const failures: unknown[] = [];
    for (const part of this.#parts) {
      try {
        swept.push(await part.sweep());
      } catch (error) {
        // An etcd that is full takes no outcomes, but lets go of what makes it full: the other parts have their turn.
        if (error instanceof FenceLost) throw error;
        failures.push(error);
      }
    }
    const did = Object.assign({}, ...swept.map((each) => each.did)) as Record<string, number>;
    if (Object.values(did).some((count) => count > 0))
      this.#options.log.info(did, 'Deleted finished and expired entries from etcd');
    if (failures.length > 0) throw failures[0];
    return { isComplete: swept.every(({ isComplete }) => isComplete) };
  }
}

const pageSize = 1_000;

/**
 * Publications that were begun and not committed. When their marker has not changed for long enough, their publisher is
 * gone: marker and list of targets are deleted, and the publisher, should it live after all, starts anew. Their entries go next.
 */
class MarkerSweep {
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
