import type { Log } from './log.ts';

/**
 * Acquire, then push how to release; `release` runs them in reverse order, each whatever the others did (after graphile
 * worker's `withReleasers`). A failed release is logged and does not hold up the rest.
 */
export interface Releasers {
  push(what: string, release: () => Promise<unknown> | unknown): void;
  release(): Promise<void>;
}

export const createReleasers = (log: Log): Releasers => {
  const pending: { readonly what: string; readonly release: () => Promise<unknown> | unknown }[] = [];
  return {
    push: (what, release) => void pending.push({ what, release }),
    release: async () => {
      for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
        try {
          await next.release();
        } catch (error) {
          log.error({ error, what: next.what }, 'Could not release a resource cleanly');
        }
      }
    },
  };
};

/** What `start` has acquired by the time it fails is released; afterwards that is the caller's. Throws what `start` throws. */
export const startWithReleasers = async <T>(log: Log, start: (releasers: Releasers) => Promise<T>): Promise<T> => {
  const releasers = createReleasers(log);
  try {
    return await start(releasers);
  } catch (error) {
    await releasers.release();
    throw error;
  }
};
