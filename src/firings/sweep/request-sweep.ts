import { isFiringId, timeOfFiringId } from '../../domain/firing.ts';
import { lastSegment } from '../../store/keys.ts';
import type { RoundOptions, Swept } from './part.ts';

const pageSize = 5_000;
/** Operations of one transaction. */
const chunk = 100;
/** What a round leaves of the size: the next pages are no reason for another one. */
const left = 0.95;

interface HistoryPage {
  readonly key: string;
  readonly id: string;
  readonly bytes: number;
}

/**
 * Pages of requests that have ended. Two rules: *too old*, by the time that their ids begin with; *too much*, the oldest of
 * all teams first. A page's key has its id and its length, so none is read.
 */
export class RequestSweep {
  readonly #options: RoundOptions;

  constructor(options: RoundOptions) {
    this.#options = options;
  }

  async sweep(): Promise<Swept> {
    const { election, clock, requestsMaxAgeMs } = this.#options;
    const before = clock.now() - requestsMaxAgeMs;
    const pages = (await this.#pages()).sort((a, b) => (a.id < b.id ? -1 : 1));
    const beyond = this.#surplus(pages);
    const over = pages.filter(({ id }, index) => index < beyond || timeOfFiringId(id) < before);
    for (let at = 0; at < over.length; at += chunk)
      await election.commit({ compare: [], write: over.slice(at, at + chunk).map(({ key }) => ({ delete: key })) });
    return { did: { request_pages: over.length }, isComplete: true };
  }

  /** How many of the oldest have to go for their size. */
  #surplus(pages: readonly HistoryPage[]): number {
    const { requestsSize } = this.#options;
    let bytes = pages.reduce((sum, page) => sum + page.bytes, 0);
    if (bytes <= requestsSize) return 0;
    const kept = pages.findIndex((page) => {
      if (bytes <= requestsSize * left) return true;
      bytes -= page.bytes;
      return false;
    });
    return kept === -1 ? pages.length : kept;
  }

  /** Without their values. What has another key is not ours. */
  async #pages(): Promise<HistoryPage[]> {
    const { store, keys } = this.#options;
    const pages: HistoryPage[] = [];
    for (let after: string | undefined; ; ) {
      const { entries, more } = await store.page(keys.histories, { after, limit: pageSize, keysOnly: true });
      for (const { key } of entries) {
        const [id = '', bytes] = lastSegment(key).split('.');
        if (isFiringId(id) && bytes !== undefined && /^\d{1,9}$/.test(bytes))
          pages.push({ key, id, bytes: Number(bytes) });
      }
      if (!more) return pages;
      after = entries.at(-1)?.key;
    }
  }
}
