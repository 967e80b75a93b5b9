import { isFiringId, timeOfFiringId } from '../../domain/firing.ts';
import { lastSegment } from '../keys.ts';
import type { RoundOptions, Swept } from './part.ts';
import { Walk } from './walk.ts';

const pageSize = 1_000;
/** Operations of one transaction. */
const chunk = 100;

/** Pages of requests that are over: those go whose ids, which begin with a time like those of firings, are too old. */
export class RequestSweep {
  readonly #options: RoundOptions;
  readonly #walk: Walk;

  constructor(options: RoundOptions) {
    this.#options = options;
    this.#walk = new Walk(options.store, options.keys.histories, pageSize);
  }

  async sweep(): Promise<Swept> {
    const { office, clock, requestsMaxAgeMs } = this.#options;
    const before = clock.now() - requestsMaxAgeMs;
    const { entries, atEnd } = await this.#walk.next();
    const old = entries.filter(({ key }) => isOlder(lastSegment(key), before));
    for (let at = 0; at < old.length; at += chunk)
      await office.commit({ compare: [], write: old.slice(at, at + chunk).map(({ key }) => ({ delete: key })) });
    return { did: { request_pages: old.length }, isComplete: atEnd || old.length === 0 };
  }
}

/** What is no id is not ours. */
const isOlder = (id: string, before: number): boolean => isFiringId(id) && timeOfFiringId(id) < before;
