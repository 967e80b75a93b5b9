import type { Log } from '../domain/log.ts';
import { Outage } from '../watch/outage.ts';
import { pause } from '../watch/pause.ts';
import type { HitCounters, MessageSpool } from './delivery-ports.ts';

const everyMs = 1_000;

export interface HitPublisherOptions {
  readonly spool: MessageSpool;
  readonly counters: HitCounters;
  /** Those of triggers that are gone are not told: nobody would take them away again. */
  readonly isKnown: (definition: number) => boolean;
  readonly log: Log;
}

/**
 * Tells the registry how often this node has hit each trigger: absolute numbers, the changed ones of a second together.
 * They are counted in the journal, in the transaction of the write, so none is missing and none counts twice.
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
      begins: 'hits of trigger files can not be published; they are counted here meanwhile',
      ends: 'hits of trigger files are published again',
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
        await this.#publish();
        this.#away.over();
      } catch (error) {
        waitMs = Math.max(everyMs, this.#away.failed(error));
      }
      await pause(waitMs, this.#stop.signal);
    }
  }

  async #publish(): Promise<void> {
    const { spool, counters, isKnown } = this.#options;
    const changed = new Map([...spool.hits()].filter(([id, hits]) => isKnown(id) && this.#published.get(id) !== hits));
    if (changed.size === 0) return;
    await counters.publish(changed);
    for (const [definition, hits] of changed) this.#published.set(definition, hits);
  }
}
