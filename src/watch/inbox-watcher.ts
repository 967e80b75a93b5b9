import { TriggerdError } from '../domain/errors.ts';
import type { FiringLog } from '../queue/ports.ts';
import { InboxCursor } from './inbox-cursor.ts';
import { InboxEntries, type InboxEntriesOptions } from './inbox-entries.ts';
import { Outage } from './outage.ts';
import { Alarm, pause } from './pause.ts';
import type { Entry, Listing, WatchBatch } from './ports.ts';

const defaultRelistMs = 60_000;

export interface InboxWatcherOptions extends Omit<InboxEntriesOptions, 'onPostponed' | 'firings'> {
  readonly firings: Pick<FiringLog, 'find' | 'unsettledIds' | 'cursor' | 'saveCursor'>;
  /** Between two listings while the watch is fine. Default one minute. */
  readonly relistMs?: number;
  /** Called each time that the watch has been established: etcd may be another one than before. */
  readonly onConnected?: () => void;
}

export interface InboxState {
  readonly connected: boolean;
  /** ms since the epoch: connected, or not, since then. */
  readonly since: number;
  readonly lastError: TriggerdError | null;
  /** Foreign or malformed keys met so far. */
  readonly ignored: number;
  /** Entries whose firing has not been committed yet. */
  readonly awaited: number;
}

/**
 * This node's inbox, from etcd into the journal.
 *
 * One loop of *sessions*. A session *lists* the inbox and accepts what is owed, then *follows* the watch from the next
 * revision on; beside it the inbox is listed again every minute, because the watch is a hint and the list is the truth.
 * Any trouble (connection, compaction, a cluster with another id or an older revision) ends the session; after a pause
 * that grows the next one begins with a resync. The journal decides what is new, so seeing an entry twice is harmless.
 */
export class InboxWatcher {
  /** Resolves once the inbox has been listed and is watched, or once it has been reported that etcd is away. */
  readonly ready: Promise<void>;

  readonly #options: InboxWatcherOptions;
  readonly #entries: InboxEntries;
  readonly #cursor: InboxCursor;
  readonly #stop = new AbortController();
  readonly #away: Outage;
  readonly #postponed: Outage;
  readonly #relist = new Alarm();
  readonly #prefix: string;
  #postponedMs = 0;
  #connected = false;
  #since: number;
  #running: Promise<void> | undefined;
  #becomeReady: () => void = () => undefined;

  constructor(options: InboxWatcherOptions) {
    this.#options = options;
    this.#prefix = options.keys.inboxes(options.node);
    this.#since = options.clock.now();
    this.#cursor = new InboxCursor(options.firings, options.log);
    this.#entries = new InboxEntries({ ...options, onPostponed: (error) => this.#postpone(error) });
    this.#away = new Outage(options.log, {
      begins: 'The inbox can not be watched; what is owed waits in etcd. Trying again.',
      ends: 'The inbox is watched again.',
    });
    this.#postponed = new Outage(options.log, {
      begins: 'Firings can not be accepted now; they stay owed. Trying again.',
      ends: 'Firings are accepted again.',
    });
    this.ready = new Promise((resolve) => {
      this.#becomeReady = resolve;
    });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  get state(): InboxState {
    return {
      connected: this.#connected,
      since: this.#since,
      lastError: this.#away.error ?? this.#postponed.error ?? null,
      ...this.#entries.counts,
    };
  }

  /** Accepts nothing more; resolves when nothing of it is left running. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#entries.stop();
    this.#cursor.save();
    this.#becomeReady();
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#session();
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        const pauseMs = this.#away.failed(error);
        this.#setConnected(false);
        this.#becomeReady();
        await pause(pauseMs, this.#stop.signal);
      }
    }
  }

  /** Ends by an error, or quietly by `stop`. */
  async #session(): Promise<void> {
    const session = new AbortController();
    const onStop = () => session.abort();
    this.#stop.signal.addEventListener('abort', onStop);
    try {
      const listing = await this.#resync(session.signal);
      const parts = [this.#follow(listing, session.signal), this.#listRegularly(session.signal)];
      try {
        await Promise.race(parts);
      } finally {
        session.abort();
        await Promise.allSettled(parts);
      }
    } finally {
      this.#stop.signal.removeEventListener('abort', onStop);
    }
  }

  async #follow({ revision }: Listing, signal: AbortSignal): Promise<void> {
    for await (const batch of this.#options.store.watch(this.#prefix, revision + 1n, signal)) {
      this.#setConnected(true);
      await this.#acceptEvents(batch, signal);
      // What is postponed is not in the journal yet.
      if (this.#postponedMs === 0) this.#cursor.advance(batch.revision);
    }
    if (!signal.aborted) throw new TriggerdError('etcd-unreachable', 'the watch has ended');
  }

  async #acceptEvents({ events }: WatchBatch, signal: AbortSignal): Promise<void> {
    const entries = new Map<string, Entry>();
    for (const event of events) {
      if (event.kind === 'put') entries.set(event.entry.key, event.entry);
      else if (!entries.delete(event.key)) this.#entries.vanished(event.key);
    }
    await this.#entries.accept([...entries.values()], signal);
  }

  async #listRegularly(signal: AbortSignal): Promise<void> {
    const { relistMs = defaultRelistMs } = this.#options;
    while (!signal.aborted) {
      const isPostponed = await this.#relist.wait(relistMs, signal);
      if (isPostponed) await pause(this.#postponedMs, signal);
      if (!signal.aborted) await this.#resync(signal);
    }
  }

  /** Lists the inbox, accepts everything in it that the journal does not know, and looks for what it misses. */
  async #resync(signal: AbortSignal): Promise<Listing> {
    this.#postponedMs = 0;
    const unsettled = this.#options.firings.unsettledIds();
    const listing = await this.#list();
    this.#entries.missing(unsettled, listing.entries);
    await this.#entries.accept(listing.entries, signal);
    if (this.#postponedMs === 0) this.#postponed.over();
    return listing;
  }

  /** Throws `etcd-unreachable` when a running session meets another history than the one that it follows. */
  async #list(): Promise<Listing> {
    const listing = await this.#options.store.list(this.#prefix);
    const change = this.#cursor.follow(listing);
    if (change === undefined) return listing;
    const facts = { cluster: listing.clusterId, revision: String(listing.revision) };
    this.#options.log.warn(facts, `${change}; listing the inbox anew.`);
    if (this.#connected) throw new TriggerdError('etcd-unreachable', change);
    return listing;
  }

  #postpone(error: TriggerdError): void {
    // One pass may postpone many: that is one failure.
    if (this.#postponedMs > 0) return;
    this.#postponedMs = this.#postponed.failed(error);
    this.#relist.ring();
  }

  #setConnected(connected: boolean): void {
    if (connected === this.#connected) return;
    this.#connected = connected;
    this.#since = this.#options.clock.now();
    if (!connected) return;
    this.#away.over();
    this.#becomeReady();
    this.#options.onConnected?.();
  }
}
