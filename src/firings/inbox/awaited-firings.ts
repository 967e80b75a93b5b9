import { asTriggerdError } from '../../domain/errors.ts';
import { pause } from '../../kit/pause.ts';
import { retryDelayMs, storeRetry } from '../../kit/retry.ts';
import type { Entry, KeyStore } from '../../store/key-store.ts';

/** Entries beyond this many are left to the next listing. */
const maxAwaited = 64;
/** A publisher that takes longer than this is left to the listings too. */
const maxWaitMs = 10 * 60_000;

/**
 * How long publishing to so many targets may take, in ms: somewhat more than measured on a small machine. Whoever looks
 * after this time mostly finds the firing, and one read is cheaper than a watch, for the node and for etcd.
 */
export const publishingMs = (targets: number): number => Math.min(20 + targets * 0.03, 2_000);

export interface AwaitedFiringsOptions {
  readonly store: Pick<KeyStore, 'get' | 'nextValue'>;
  readonly firingKey: (id: string) => string;
  /** Called once per awaited firing, when it is there. */
  readonly onAppeared: (id: string, firing: Entry) => Promise<void>;
}

interface Awaited {
  readonly id: string;
  readonly fromRevision: bigint;
  readonly lookAfterMs: number | undefined;
  readonly controller: AbortController;
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

  /** Whether it is awaited now; else there are too many. With `lookAfterMs` it is looked for then, and watched for after that. */
  expect(id: string, fromRevision: bigint, lookAfterMs?: number): boolean {
    if (this.#awaited.has(id)) return true;
    if (this.#awaited.size >= maxAwaited) return false;
    const controller = new AbortController();
    this.#awaited.set(id, controller);
    const wait = this.#wait({ id, fromRevision, lookAfterMs, controller }).finally(() => this.#waits.delete(wait));
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

  async #wait(awaited: Awaited): Promise<void> {
    const { id, controller } = awaited;
    const tooLong = setTimeout(() => controller.abort(), maxWaitMs);
    try {
      const firing = await this.#appeared(awaited);
      this.#over(id, controller);
      if (firing) await this.#options.onAppeared(id, firing);
    } catch {
      // The next listing finds this entry again, and whoever lists reports the trouble.
    } finally {
      this.#over(id, controller);
      clearTimeout(tooLong);
    }
  }

  #over(id: string, controller: AbortController): void {
    if (this.#awaited.get(id) === controller) this.#awaited.delete(id);
  }

  /** An outage is not reported: the inbox's own watch meets it, too. It may have hidden the firing, so that is read then. */
  async #appeared({ id, fromRevision, lookAfterMs, controller: { signal } }: Awaited): Promise<Entry | undefined> {
    const { store, firingKey } = this.#options;
    const key = firingKey(id);
    if (lookAfterMs !== undefined) await pause(lookAfterMs, signal);
    for (let failures = 0; !signal.aborted; ) {
      try {
        const there = failures === 0 && lookAfterMs === undefined ? undefined : await store.get(key);
        return there ?? (await store.nextValue(key, fromRevision, signal));
      } catch (error) {
        if (!asTriggerdError(error).retryable) throw error;
        await pause(retryDelayMs(storeRetry, ++failures), signal);
      }
    }
    return undefined;
  }
}
