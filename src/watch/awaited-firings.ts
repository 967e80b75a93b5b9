import { pause } from './pause.ts';
import type { Entry, KeyStore } from './ports.ts';

/** Entries beyond this many wait for the next listing instead of a watch of their own. */
const maxWatches = 16;
/** A publisher that takes longer than this is left to the listings too. */
const maxWatchMs = 10 * 60_000;

export interface AwaitedFiringsOptions {
  readonly store: KeyStore;
  readonly firingKey: (id: string) => string;
  /** Called once per awaited firing, when it is there. */
  readonly onAppeared: (id: string, firing: Entry) => Promise<void>;
}

/**
 * Firings of which this node has seen only the inbox entry: their publisher has not committed yet. Each is *watched*
 * from its entry's revision on, until it appears, its entry vanishes, or the watch breaks; the next listing looks again.
 */
export class AwaitedFirings {
  readonly #options: AwaitedFiringsOptions;
  readonly #watched = new Map<string, AbortController>();
  readonly #watches = new Set<Promise<void>>();

  constructor(options: AwaitedFiringsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#watched.size;
  }

  expect(id: string, fromRevision: bigint): void {
    if (this.#watched.has(id) || this.#watched.size >= maxWatches) return;
    const controller = new AbortController();
    this.#watched.set(id, controller);
    const watch = this.#watch(id, fromRevision, controller).finally(() => this.#watches.delete(watch));
    this.#watches.add(watch);
  }

  forget(id: string): void {
    this.#watched.get(id)?.abort();
  }

  async stop(): Promise<void> {
    for (const controller of this.#watched.values()) controller.abort();
    await Promise.all(this.#watches);
  }

  async #watch(id: string, fromRevision: bigint, controller: AbortController): Promise<void> {
    const tooLong = pause(maxWatchMs, controller.signal).then(() => controller.abort());
    try {
      const firing = await this.#next(this.#options.firingKey(id), fromRevision, controller.signal);
      this.#watched.delete(id);
      if (firing) await this.#options.onAppeared(id, firing);
    } catch {
      // The inbox's own watch meets the same trouble and reports it; its next listing finds this entry again.
    } finally {
      this.#watched.delete(id);
      controller.abort();
      await tooLong;
    }
  }

  async #next(key: string, fromRevision: bigint, signal: AbortSignal): Promise<Entry | undefined> {
    for await (const { events } of this.#options.store.watch(key, fromRevision, signal)) {
      for (const event of events) if (event.kind === 'put' && event.entry.key === key) return event.entry;
    }
    return undefined;
  }
}
