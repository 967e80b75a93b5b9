import { asTriggerdError } from '../domain/errors.ts';
import { retryDelayMs, storeRetry } from '../domain/retry.ts';
import { pause } from './pause.ts';
import type { Entry, KeyStore } from './ports.ts';

/** Entries beyond this many are left to the next listing. */
const maxAwaited = 64;
/** A publisher that takes longer than this is left to the listings too. */
const maxWaitMs = 10 * 60_000;

export interface AwaitedFiringsOptions {
  readonly store: Pick<KeyStore, 'get' | 'nextValue'>;
  readonly firingKey: (id: string) => string;
  /** Called once per awaited firing, when it is there. */
  readonly onAppeared: (id: string, firing: Entry) => Promise<void>;
}

/**
 * Firings of which this node has seen only the inbox entry: their publisher has not committed yet. Each is *awaited* from
 * its entry's revision on, until it appears, its entry vanishes, or it takes too long; the next listing looks again.
 */
export class AwaitedFirings {
  readonly #options: AwaitedFiringsOptions;
  readonly #awaited = new Map<string, AbortController>();
  readonly #waits = new Set<Promise<void>>();

  constructor(options: AwaitedFiringsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#awaited.size;
  }

  /** Whether it is awaited now; else there are too many. */
  expect(id: string, fromRevision: bigint): boolean {
    if (this.#awaited.has(id)) return true;
    if (this.#awaited.size >= maxAwaited) return false;
    const controller = new AbortController();
    this.#awaited.set(id, controller);
    const wait = this.#wait(id, fromRevision, controller).finally(() => this.#waits.delete(wait));
    this.#waits.add(wait);
    return true;
  }

  forget(id: string): void {
    const controller = this.#awaited.get(id);
    // At once: a publisher that starts anew may put the entry again right away.
    this.#awaited.delete(id);
    controller?.abort();
  }

  async stop(): Promise<void> {
    for (const controller of this.#awaited.values()) controller.abort();
    await Promise.all(this.#waits);
  }

  async #wait(id: string, fromRevision: bigint, controller: AbortController): Promise<void> {
    const tooLong = pause(maxWaitMs, controller.signal).then(() => controller.abort());
    try {
      const firing = await this.#appeared(this.#options.firingKey(id), fromRevision, controller.signal);
      this.#over(id, controller);
      if (firing) await this.#options.onAppeared(id, firing);
    } catch {
      // The next listing finds this entry again, and whoever lists reports the trouble.
    } finally {
      this.#over(id, controller);
      controller.abort();
      await tooLong;
    }
  }

  #over(id: string, controller: AbortController): void {
    if (this.#awaited.get(id) === controller) this.#awaited.delete(id);
  }

  /** An outage is not reported: the inbox's own watch meets it, too. It may have hidden the firing, so that is read then. */
  async #appeared(key: string, fromRevision: bigint, signal: AbortSignal): Promise<Entry | undefined> {
    const { store } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const there = failures === 0 ? undefined : await store.get(key);
        return there ?? (await store.nextValue(key, fromRevision, signal));
      } catch (error) {
        if (!asTriggerdError(error).retryable) throw error;
        await pause(retryDelayMs(storeRetry, ++failures), signal);
      }
    }
    return undefined;
  }
}
