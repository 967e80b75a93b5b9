import { asTriggerdError, TriggerdError } from '../../domain/errors.ts';
import { onAbort } from '../../kit/on-abort.ts';
import { Outage } from '../../kit/outage.ts';
import { Alarm, pause } from '../../kit/pause.ts';
import type { FiringLog } from '../../queue/ports/journal.ts';
import type { Entry, Listing, WatchBatch } from '../../store/key-store.ts';
import { InboxCursor } from './inbox-cursor.ts';
import { InboxEntries, type InboxEntriesOptions, inboxWindow, inOrder } from './inbox-entries.ts';

const defaultRelistMs = 60_000;

export interface InboxWatcherOptions extends Omit<InboxEntriesOptions, 'onPostponed' | 'firings'> {
  readonly firings: Pick<FiringLog, 'find' | 'unsettledIds' | 'cursor' | 'saveCursor'>;
  /** Between two listings while the watch is fine. Default one minute. */
  readonly relistMs?: number;
  /** Called each time that the watch has been established: etcd may be another one than before. */
  readonly onConnected?: () => void;
  /** Called when etcd goes away, once; also when it was away from the start. */
  readonly onLost?: (error: TriggerdError) => void;
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
 * One loop of *sessions*. A session *lists* the inbox and accepts its firings, then *follows* the watch from the next
 * revision on; beside it the inbox is listed again every minute, because the watch is a hint and the list is the truth.
 * The watch is established once the first window of the listing is in the journal, and waits for the rest of it.
 * Any trouble (connection, compaction, a cluster with another id or an older revision) ends the session; after a pause
 * that grows the next one begins with a resync. The journal decides what is new, so seeing an entry twice is harmless.
 */
export class InboxWatcher {
  /**
   * Resolves once the inbox has been listed, its first window is in the journal and the rest is watched over; or once it
   * has been reported that etcd is away.
   */
  readonly ready: Promise<void>;

  readonly #options: InboxWatcherOptions;
  readonly #entries: InboxEntries;
  readonly #cursor: InboxCursor;
  readonly #stop = new AbortController();
  readonly #away: Outage<TriggerdError>;
  readonly #postponed: Outage<TriggerdError>;
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
    this.#away = new Outage<TriggerdError>(options.log, {
      begins: 'Cannot watch the inbox; retrying, and owed firings wait in etcd',
      ends: 'The inbox is watched again',
    });
    this.#postponed = new Outage<TriggerdError>(options.log, {
      begins: 'Cannot accept firings; retrying, and they stay owed',
      ends: 'Firings are accepted again',
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
        const isNew = this.#away.error === undefined;
        const pauseMs = this.#away.failed(asTriggerdError(error));
        if (isNew && this.#away.error !== undefined) this.#options.onLost?.(this.#away.error);
        this.#setConnected(false);
        this.#becomeReady();
        await pause(pauseMs, this.#stop.signal);
      }
    }
  }

  /** Ends by an error, or quietly by `stop`. */
  async #session(): Promise<void> {
    const session = new AbortController();
    const off = onAbort(this.#stop.signal, () => session.abort());
    const { name } = this.#options;
    let wasHeld = name?.isHeld() === true;
    const forgetName = name?.onChange(() => {
      if (wasHeld && name.isRefused()) session.abort();
      wasHeld ||= name.isHeld();
    });
    try {
      const listing = await this.#lookNamed(session);
      if (session.signal.aborted) return;
      await this.#accept(listing.entries.slice(0, inboxWindow), session.signal);
      const accepted = this.#acceptRest(listing.entries.slice(inboxWindow), session.signal);
      const parts = [
        this.#follow(listing, accepted, session.signal),
        accepted.then(() => this.#listRegularly(session.signal)),
      ];
      try {
        await Promise.race(parts);
      } finally {
        session.abort();
        await Promise.allSettled(parts);
      }
    } finally {
      forgetName?.();
      off();
    }
  }

  /** What is owed, once the name that it is owed to is ours: until then etcd answers, and nothing is taken. */
  async #lookNamed({ signal }: AbortController): Promise<Listing> {
    const { name } = this.#options;
    const listing = await this.#look();
    if (name === undefined || name.isHeld()) return listing;
    const isKnown = () => name.isRefused() && this.#setConnected(true);
    const off = name.onChange(isKnown);
    isKnown();
    await name.held(signal);
    off();
    return this.#look();
  }

  /** `accepted`: what was listed. What the watch tells comes after it, as it did in etcd. */
  async #follow({ revision }: Listing, accepted: Promise<void>, signal: AbortSignal): Promise<void> {
    for await (const batch of this.#options.store.watch(this.#prefix, revision + 1n, signal)) {
      this.#setConnected(true);
      await accepted;
      await this.#acceptEvents(batch, signal);
      if (signal.aborted) return;
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
    await this.#entries.accept(inOrder([...entries.values()]), signal, true);
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
  async #resync(signal: AbortSignal): Promise<void> {
    const { entries } = await this.#look();
    await this.#accept(entries, signal);
  }

  /** A node that was away for long is up, and tells what it does, while it takes in what it is owed. */
  async #acceptRest(entries: readonly Entry[], signal: AbortSignal): Promise<void> {
    if (entries.length === 0) return;
    this.#options.log.info({ owed: entries.length }, 'Accepting a backlog');
    await this.#accept(entries, signal);
    if (!signal.aborted) this.#options.log.info({ owed: entries.length }, 'Backlog accepted');
  }

  async #accept(entries: readonly Entry[], signal: AbortSignal): Promise<void> {
    await this.#entries.accept(entries, signal);
    if (this.#postponedMs === 0) this.#postponed.over();
  }

  /** Lists the inbox in the order of its entries' creation, and looks for what it misses. */
  async #look(): Promise<Listing> {
    this.#postponedMs = 0;
    const unsettled = this.#options.firings.unsettledIds();
    const listing = await this.#list();
    this.#entries.missing(unsettled, listing.entries);
    return { ...listing, entries: inOrder(listing.entries) };
  }

  /** Throws `etcd-unreachable` when a running session meets another history than the one that it follows. */
  async #list(): Promise<Listing> {
    const listing = await this.#options.store.list(this.#prefix);
    const change = this.#cursor.follow(listing);
    if (change === undefined) return listing;
    const facts = { cluster: listing.clusterId, revision: String(listing.revision) };
    this.#options.log.warn(facts, `${change}; listing the inbox again`);
    if (this.#connected) throw new TriggerdError('etcd-unreachable', change);
    return listing;
  }

  #postpone(error: TriggerdError): void {
    // One pass may postpone many: that is one failure.
    if (this.#postponedMs > 0) return;
    this.#postponedMs = this.#postponed.failed(asTriggerdError(error));
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
