import { asTriggerdError, TriggerdError } from '../../domain/errors.ts';
import type { Log } from '../../kit/log.ts';
import { Notices } from '../../kit/notices.ts';
import { Outage } from '../../kit/outage.ts';
import { pause } from '../../kit/pause.ts';
import type { Entry, KeyStore } from '../../store/key-store.ts';
import { type BrokerDocument, type BusKeys, parseBroker } from './wire.ts';

export interface BrokerDirectoryOptions {
  readonly store: Pick<KeyStore, 'list' | 'watch'>;
  readonly keys: BusKeys;
  readonly log: Log;
}

/** Between two listings while the watch is fine. ms. */
const relistMs = 60_000;

/**
 * Which brokers are up, as etcd has it. Sessions like those of the registry's mirror: list, follow the watch, begin anew
 * after a minute. While etcd is away the last answer stays.
 */
export class BrokerDirectory {
  readonly #options: BrokerDirectoryOptions;
  readonly #stop = new AbortController();
  readonly #away: Outage;
  readonly #notices: Notices;
  readonly #listeners = new Set<() => void>();
  #brokers = new Map<string, BrokerDocument>();
  #running: Promise<void> | undefined;

  constructor(options: BrokerDirectoryOptions) {
    this.#options = options;
    this.#notices = new Notices(options.log);
    this.#away = new Outage(options.log, {
      begins: 'Cannot watch which brokers are up; retrying, and the last known ones stay',
      ends: 'Brokers are watched again',
    });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** In the order of their ids. */
  get brokers(): readonly BrokerDocument[] {
    return [...this.#brokers.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Called after every change. Returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#session();
      } catch (error) {
        if (!this.#stop.signal.aborted) await pause(this.#away.failed(asTriggerdError(error)), this.#stop.signal);
      }
    }
  }

  /** Ends by an error, or quietly when it is time to list again. */
  async #session(): Promise<void> {
    const { store, keys } = this.#options;
    const { entries, revision } = await store.list(keys.brokers);
    const listed = new Map<string, BrokerDocument>();
    for (const entry of entries) this.#put(listed, entry);
    this.#brokers = listed;
    this.#tell();
    const session = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(relistMs)]);
    for await (const { events } of store.watch(keys.brokers, revision + 1n, session)) {
      this.#away.over();
      for (const event of events) {
        if (event.kind === 'put') this.#put(this.#brokers, event.entry);
        else this.#brokers.delete(event.key);
      }
      if (events.length > 0) this.#tell();
    }
    if (!session.aborted) throw new TriggerdError('etcd-unreachable', 'the watch has ended');
  }

  #put(brokers: Map<string, BrokerDocument>, { key, value }: Entry): void {
    try {
      brokers.set(key, parseBroker(key, value));
    } catch (error) {
      brokers.delete(key);
      this.#notices.once(key, { key, error }, 'The entry of a broker is malformed; it counts as absent');
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
