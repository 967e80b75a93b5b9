import { asTriggerdError } from '../domain/errors.ts';
import type { Log } from '../kit/log.ts';
import { Outage } from '../kit/outage.ts';
import { pause } from '../kit/pause.ts';
import type { HitCounters, MessageSpool } from './delivery-ports.ts';

/** Hits are looked at so often… */
const everyMs = 1_000;
/** …and after a publication not again for this long: who writes all the time is told of in few large ones. */
const restMs = 5_000;
/** Told at once: one transaction of etcd. Others have their turn next. */
const atOnce = 100;

export interface HitPublisherOptions {
  readonly spool: MessageSpool;
  readonly counters: HitCounters;
  /** Those of triggers that are gone are not told: nobody would take them away again. */
  readonly isKnown: (definition: number) => boolean;
  readonly log: Log;
}

/**
 * Tells the registry how often this node has hit each trigger: absolute numbers, the changed ones together. However many
 * files are written to, etcd gets a hundred small values in five seconds at most. They are counted in the journal, in the transaction of the write, so none is missing and none counts twice.
 */
export class HitPublisher {
  readonly #options: HitPublisherOptions;
  readonly #away: Outage;
  readonly #stop = new AbortController();
  readonly #published = new Map<number, number>();
  #running: Promise<void> | undefined;

  constructor(options: HitPublisherOptions) {
    this.#options = options;
    this.#away = new Outage(options.log, {
      begins: 'Cannot publish hits of trigger files; retrying, and this node keeps counting',
      ends: 'Hits of trigger files are published again',
    });
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      let waitMs = everyMs;
      try {
        if (await this.#publish()) waitMs = restMs;
        this.#away.over();
      } catch (error) {
        waitMs = Math.max(everyMs, this.#away.failed(asTriggerdError(error)));
      }
      await pause(waitMs, this.#stop.signal);
    }
  }

  /** The published ones move to the end of the map, so that each trigger has its turn. False: there was nothing to tell. */
  async #publish(): Promise<boolean> {
    const { spool, counters, isKnown } = this.#options;
    const order = new Map([...this.#published.keys()].map((id, index) => [id, index]));
    const changed = [...spool.hits()]
      .filter(([id, hits]) => isKnown(id) && this.#published.get(id) !== hits.count)
      .sort(([a], [b]) => (order.get(a) ?? -1) - (order.get(b) ?? -1))
      .slice(0, atOnce);
    if (changed.length === 0) return false;
    await counters.publish(new Map(changed));
    for (const [definition, { count }] of changed) {
      this.#published.delete(definition);
      this.#published.set(definition, count);
    }
    return true;
  }
}
