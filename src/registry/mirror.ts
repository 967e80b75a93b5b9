import { asTriggerdError, TriggerdError } from '../domain/errors.ts';
import type { Log } from '../kit/log.ts';
import { nextCall } from '../kit/next-call.ts';
import { Notices } from '../kit/notices.ts';
import { onAbort } from '../kit/on-abort.ts';
import { Outage } from '../kit/outage.ts';
import { pause } from '../kit/pause.ts';
import type { KeyStore, Listing, WatchBatch } from '../store/key-store.ts';
import type { RegistryKeys } from './keys.ts';
import { RegistryState } from './snapshot.ts';

export interface MirrorOptions {
  readonly store: Pick<KeyStore, 'list' | 'watch'>;
  readonly keys: RegistryKeys;
  readonly log: Log;
  /** Time between two listings while the watch works. Default: one minute. */
  readonly relistMs?: number;
  /** How long a caller waits for the watch to deliver a known change before it lists the registry. Default: 2 s. */
  readonly catchUpMs?: number;
}

/**
 * The registry in memory. Not *started*, it lists the registry whenever somebody asks. Started, it is kept current by
 * sessions: list, then follow the watch from the next revision on, and after a minute begin anew, because the watch is a
 * hint and the list is the truth. While etcd is away the last state stays: whoever was known stays known.
 */
export class Mirror {
  /** Resolves once the registry has been read, or etcd is known to be away. */
  readonly ready: Promise<void>;

  readonly #options: MirrorOptions;
  readonly #stop = new AbortController();
  readonly #away: Outage;
  readonly #notices: Notices;
  readonly #listeners = new Set<() => void>();
  readonly #waiting = new Set<() => void>();
  #state: RegistryState | undefined;
  #isConnected = false;
  #running: Promise<void> | undefined;
  #becomeReady: () => void = () => undefined;

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.#notices = new Notices(options.log);
    this.#away = new Outage(options.log, {
      begins: 'Cannot watch the registry; retrying, and its last known state stays in force',
      ends: 'The registry is watched again',
    });
    this.ready = new Promise((resolve) => {
      this.#becomeReady = resolve;
    });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** What is known; undefined before the first listing. */
  get state(): RegistryState | undefined {
    return this.#state;
  }

  /** Called after every change. Returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The registry as it is at `revision` or later. Throws the store's errors. */
  async current(revision = 0n): Promise<RegistryState> {
    if (!this.#isConnected) return this.#list();
    const isKnown = await this.#reached(revision);
    return isKnown && this.#state !== undefined ? this.#state : this.#list();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#becomeReady();
  }

  async #reached(revision: bigint): Promise<boolean> {
    const isThere = () => this.#state !== undefined && this.#state.revision >= revision;
    const timeout = AbortSignal.timeout(this.#options.catchUpMs ?? 2_000);
    while (!isThere() && this.#isConnected && !timeout.aborted) await this.#nextBatch(timeout);
    return isThere();
  }

  #nextBatch(signal: AbortSignal): Promise<void> {
    return nextCall((call) => {
      this.#waiting.add(call);
      return () => this.#waiting.delete(call);
    }, signal);
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#session();
      } catch (error) {
        this.#isConnected = false;
        this.#wake();
        this.#becomeReady();
        if (!this.#stop.signal.aborted) await pause(this.#away.failed(asTriggerdError(error)), this.#stop.signal);
      }
    }
    this.#isConnected = false;
    this.#wake();
  }

  /** Ends by an error, or quietly when it is time to list again. */
  async #session(): Promise<void> {
    const { store, keys, relistMs = 60_000 } = this.#options;
    const listing = await store.list(keys.all);
    if (this.#stop.signal.aborted) return;
    const state = this.#stateOf(listing);
    this.#wake();
    const session = new AbortController();
    const { signal } = session;
    const end = () => session.abort();
    const timer = setTimeout(end, relistMs);
    const off = onAbort(this.#stop.signal, end);
    try {
      for await (const batch of store.watch(keys.all, state.revision + 1n, signal)) this.#take(state, batch);
    } finally {
      clearTimeout(timer);
      off();
    }
    if (!signal.aborted) throw new TriggerdError('etcd-unreachable', 'the watch has ended');
  }

  #take(state: RegistryState, { events, revision }: WatchBatch): void {
    this.#isConnected = true;
    this.#away.over();
    this.#becomeReady();
    for (const event of events) {
      if (event.kind === 'put') state.put(event.entry);
      else state.delete(event.key);
    }
    if (revision > state.revision) state.revision = revision;
    if (events.length > 0) this.#tell();
    this.#wake();
  }

  /** A listing without changes is not parsed, and no listener is called. */
  #stateOf(listing: Listing): RegistryState {
    const present = this.#state;
    if (present !== undefined && isSame(present, listing)) {
      present.revision = listing.revision;
      return present;
    }
    this.#state = this.#parse(listing);
    this.#tell();
    return this.#state;
  }

  async #list(): Promise<RegistryState> {
    const { store, keys } = this.#options;
    return this.#parse(await store.list(keys.all));
  }

  #parse({ entries, revision }: Listing): RegistryState {
    const { keys } = this.#options;
    const state = new RegistryState(keys.all, revision, (key, error) =>
      this.#notices.once(key, { key, error }, 'An entry of the registry is malformed; it counts as absent'),
    );
    for (const entry of entries) state.put(entry);
    return state;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

const isSame = ({ revisions }: RegistryState, { entries }: Listing): boolean =>
  entries.length === revisions.size && entries.every(({ key, modRevision }) => revisions.get(key) === modRevision);
