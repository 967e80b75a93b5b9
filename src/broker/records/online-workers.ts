import type { OnlineWorker } from '../../domain/caller.ts';
import { targetOf } from '../../domain/target.ts';
import type { BusKeys } from '../../fleet/brokers/wire.ts';
import type { Presence } from '../../fleet/names/ports.ts';
import type { Clock } from '../../kit/clock.ts';
import { format } from '../../store/document.ts';
import type { WorkerPresence } from '../options.ts';

/**
 * The document is written so seldom that it makes no more bytes a second than this: else one worker that comes and goes
 * would write thousands of others again each second, until etcd is full.
 */
const bytesPerSecond = 16_384;

/** Keeps keys for as long as this process has its name. */
export interface LeasedKeys {
  keep(key: string, value: () => string): Presence;
}

/** One leased key per broker says which workers it has: thousands of workers cost few writes. */
export class OnlineWorkers implements WorkerPresence {
  readonly #workers = new Map<string, { readonly node: string; readonly version: string; readonly since: string }>();
  readonly #clock: Clock;
  readonly #kept: Presence;
  /** The document is not written before this time. Monotonic ms. */
  #dueAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(name: LeasedKeys, keys: BusKeys, broker: string, clock: Clock) {
    this.#clock = clock;
    this.#kept = name.keep(keys.online(broker), () => this.#document());
  }

  online({ team, identity, node, version }: OnlineWorker): void {
    const since = new Date(this.#clock.now()).toISOString();
    this.#workers.set(targetOf(team, identity), { node, version, since });
    this.#refresh();
  }

  offline(team: string, identity: string): void {
    if (this.#workers.delete(targetOf(team, identity))) this.#refresh();
  }

  close(): Promise<void> {
    clearTimeout(this.#timer);
    return this.#kept.close();
  }

  #document(): string {
    const text = JSON.stringify({ format, workers: Object.fromEntries(this.#workers) });
    this.#dueAt = performance.now() + (Buffer.byteLength(text) / bytesPerSecond) * 1_000;
    return text;
  }

  #refresh(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#kept.refresh();
      },
      Math.max(0, this.#dueAt - performance.now()),
    );
    this.#timer.unref();
  }
}
