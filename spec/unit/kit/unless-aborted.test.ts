import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { unlessAborted } from '../../../src/kit/unless-aborted.ts';
import { until } from '../../support/wait.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Looks after a result that only what `use` has left behind can keep. */
const resultOf = async (use: (work: Promise<object>) => Promise<unknown>): Promise<WeakRef<object>> => {
  const object = { output: 'x' };
  await use(Promise.resolve(object));
  return new WeakRef(object);
};
const isGone = (result: WeakRef<object>): boolean => {
  collectGarbage();
  return result.deref() === undefined;
};

describe('unless aborted', () => {
  it('unlessAborted returns what the work returns, and throws what the work throws', async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(Promise.resolve(1), signal, () => 2)).toBe(1);
    await expect(unlessAborted(Promise.reject(new Error('no')), signal, () => 2)).rejects.toThrow('no');
  });

  it('unlessAborted returns what the abort makes of it, also for an earlier abort', async () => {
    const stop = new AbortController();
    const never = new Promise<never>(() => undefined);
    const waiting = unlessAborted(never, stop.signal, () => 'stopped');
    stop.abort();
    expect(await waiting).toBe('stopped');
    expect(await unlessAborted(never, stop.signal, () => 'stopped')).toBe('stopped');
  });

  it('unlessAborted keeps no result while the signal lasts, unlike a race with a lasting promise', async () => {
    const { signal } = new AbortController();
    const lasting = new Promise<never>(() => undefined);
    const raced = await resultOf((work) => Promise.race([work, lasting]));
    const given = await resultOf((work) => unlessAborted(work, signal, () => undefined));
    await until(() => isGone(given), 'the result to be collected');
    expect(isGone(raced)).toBe(false);
    expect([lasting, signal.aborted]).toEqual([expect.any(Promise), false]);
  });
});
