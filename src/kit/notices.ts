import { BoundedMap } from './bounded-map.ts';
import type { Log, LogFields } from './log.ts';

/** Beyond this many, the oldest may be complained about again. */
const maxNotices = 1_000;

/** Complaints about keys that stay there and are met with every listing: each is logged once. */
export class Notices {
  readonly #log: Log;
  readonly #keys = new BoundedMap<string, true>(maxNotices);
  #count = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  get count(): number {
    return this.#count;
  }

  once(key: string, fields: LogFields, message: string): void {
    if (this.#keys.has(key)) return;
    this.#keys.set(key, true);
    this.#count++;
    this.#log.warn(fields, message);
  }
}
