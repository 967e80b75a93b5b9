import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Compare, KeyStore, Lease, WatchBatch, WatchEvent } from '../../src/store/key-store.ts';
import { until } from './wait.ts';

/** What every `KeyStore` must do. `fresh` gives an empty prefix in a working store. */
export const describeKeyStore = (name: string, fresh: () => Promise<{ store: KeyStore; prefix: string }>): void => {
  describe(`KeyStore contract: ${name}`, () => {
    let store: KeyStore;
    let prefix: string;
    const stop: { controller: AbortController } = { controller: new AbortController() };
    const put = (key: string, value: string) =>
      store.commit({ compare: [], write: [{ put: `${prefix}${key}`, value }] }).then((commit) => commit.revision);
    const watching = (from: bigint) => collect(store.watch(prefix, from, stop.controller.signal));

    beforeEach(async () => {
      ({ store, prefix } = await fresh());
      stop.controller = new AbortController();
    });
    afterEach(() => stop.controller.abort());

    it('the store reads what was written, with create and mod revision', async () => {
      const created = await put('a', 'one');
      const changed = await put('a', 'zwei – ä');
      expect(await store.get(`${prefix}a`)).toEqual({
        key: `${prefix}a`,
        value: 'zwei – ä',
        createRevision: created,
        modRevision: changed,
        isLeased: false,
      });
      expect(await store.get(`${prefix}b`)).toBeUndefined();
    });

    it('the store reads many keys in their order, present or not, small or large', async () => {
      const large = 'x'.repeat(1_000_000);
      await put('one', large);
      await put('two', large);
      const at = (...names: string[]) => store.getMany(names.map((name) => prefix + name));
      const names = ['two', 'none', ...Array.from({ length: 70 }, () => 'one')];
      expect((await at(...names)).map((entry) => entry?.key)).toEqual(
        names.map((name) => (name === 'none' ? undefined : prefix + name)),
      );
      expect(await at('none')).toEqual([undefined]);
      expect(await at()).toEqual([]);
    });

    it('the store lists a prefix at one revision, and nothing beside it', async () => {
      await put('in/1', 'x');
      const revision = await put('in/2', 'y');
      await put('inn', 'no');
      const listing = await store.list(`${prefix}in/`);
      expect(listing.entries.map((entry) => entry.value)).toEqual(['x', 'y']);
      expect(listing.revision).toBeGreaterThanOrEqual(revision);
      expect(listing.clusterId).not.toBe('');
    });

    it('the store lists more entries than fit on one page, each once', async () => {
      const keys = Array.from({ length: 1_201 }, (_, index) => `many/${String(index).padStart(5, '0')}`);
      await putAll(store, prefix, keys);
      const listing = await store.list(`${prefix}many/`);
      expect(listing.entries.map((entry) => entry.key)).toEqual(keys.map((key) => prefix + key));
    });

    it('the store returns the newest entries by create revision', async () => {
      for (const key of ['z', 'a', 'm']) await put(key, key);
      await put('z', 'changed');
      expect((await store.newest(prefix, 2)).map((entry) => entry.key)).toEqual([`${prefix}m`, `${prefix}a`]);
    });

    it('the store applies a transaction when its compare holds, and reads otherwise', async () => {
      const transaction = {
        compare: [{ key: `${prefix}k`, is: 'absent' as const }],
        write: [{ put: `${prefix}k`, value: 'mine' }],
        otherwiseGet: [`${prefix}k`, `${prefix}missing`],
      };
      expect(await store.commit(transaction)).toMatchObject({ succeeded: true, read: [] });
      const second = await store.commit(transaction);
      expect(second.succeeded).toBe(false);
      expect(second.read.map((entry) => entry.value)).toEqual(['mine']);
    });

    it('the store compares create and mod revisions; 0 is absent', async () => {
      const createRevision = await put('k', 'one');
      const modRevision = await put('k', 'two');
      const key = `${prefix}k`;
      const holds = async (compare: Compare) => (await store.commit({ compare: [compare], write: [] })).succeeded;
      expect(await holds({ key, createRevision })).toBe(true);
      expect(await holds({ key, createRevision: modRevision })).toBe(false);
      expect(await holds({ key, modRevision })).toBe(true);
      expect(await holds({ key, modRevision: createRevision })).toBe(false);
      const missing = `${prefix}missing`;
      expect(await holds({ key: missing, createRevision: 0n })).toBe(true);
      expect(await holds({ key: missing, modRevision: 0n })).toBe(true);
      expect(await holds({ key, modRevision: 0n })).toBe(false);
    });

    it('the store pages through keys in their order, without values on request, and counts them', async () => {
      for (const key of ['p/c', 'p/a', 'p/b', 'q']) await put(key, 'value');
      const first = await store.page(`${prefix}p/`, { limit: 2 });
      expect(first.entries.map(({ key, value }) => [key, value])).toEqual([
        [`${prefix}p/a`, 'value'],
        [`${prefix}p/b`, 'value'],
      ]);
      expect(first.more).toBe(true);
      const rest = await store.page(`${prefix}p/`, { after: `${prefix}p/b`, limit: 2, keysOnly: true });
      expect(rest).toMatchObject({ entries: [{ key: `${prefix}p/c`, value: '' }], more: false });
      expect(await store.count(`${prefix}p/`)).toBe(3);
    });

    it('the store lets one holder have a key, fenced by its create revision, until it is released', async () => {
      const key = `${prefix}election`;
      const first = await store.holdKey(key, 'me');
      expect((await store.get(key))?.value).toBe('me');
      expect(await store.holdKey(key, 'you')).toBeUndefined();
      const fenced = (fence: Compare) => store.commit({ compare: [fence], write: [{ put: `${prefix}x`, value: '' }] });
      if (first === undefined) throw new Error('nobody held the key');
      expect((await fenced(first.fence)).succeeded).toBe(true);
      expect(first.isHeld()).toBe(true);
      await first.release();
      expect([first.isHeld(), first.lost.aborted]).toEqual([false, true]);
      const second = await store.holdKey(key, 'you');
      expect((await fenced(first.fence)).succeeded).toBe(false);
      expect(second?.isHeld()).toBe(true);
      await second?.release();
    });

    it('the store deletes a key and a prefix in one transaction', async () => {
      for (const key of ['one', 'd/1', 'd/2', 'rest']) await put(key, key);
      await store.commit({
        compare: [{ key: `${prefix}one`, is: 'present' }],
        write: [{ delete: `${prefix}one` }, { deletePrefix: `${prefix}d/` }],
      });
      expect((await store.list(prefix)).entries.map((entry) => entry.value)).toEqual(['rest']);
    });

    it('the store says first that a watch is established, then delivers everything from the revision on, in order', async () => {
      const first = await put('w/1', 'a');
      await put('w/2', 'b');
      const seen = watching(first);
      await until(() => seen.batches.length > 0, 'the watch');
      expect(seen.batches[0]?.events).toEqual([]);
      await put('w/3', 'c');
      await store.commit({ compare: [], write: [{ delete: `${prefix}w/1` }] });
      await until(() => seen.events.length === 4, 'four events');
      expect(seen.events.map(describeEvent)).toEqual(['put a', 'put b', 'put c', `delete ${prefix}w/1`]);
      expect(seen.batches.at(-1)?.revision).toBeGreaterThan(first);
    });

    it('the store keeps the events of one revision in one batch', async () => {
      const seen = watching((await put('start', '')) + 1n);
      await until(() => seen.batches.length > 0, 'the watch');
      const write = Array.from({ length: 100 }, (_, index) => ({ put: `${prefix}t/${index}`, value: 'x' }));
      await store.commit({ compare: [], write });
      await until(() => seen.events.length > 0, 'events');
      expect(seen.batches.filter((batch) => batch.events.length > 0).map((batch) => batch.events.length)).toEqual([
        100,
      ]);
    });

    it('the store returns the next value of one key, also one from meanwhile, and not that of a longer key', async () => {
      const from = (await put('start', '')) + 1n;
      const { signal } = stop.controller;
      const waiting = store.nextValue(`${prefix}key`, from, signal);
      await put('key2', 'another');
      const revision = await put('key', 'first');
      await put('key', 'second');
      const first = {
        key: `${prefix}key`,
        value: 'first',
        createRevision: revision,
        modRevision: revision,
        isLeased: false,
      };
      expect(await waiting).toEqual(first);
      expect(await store.nextValue(`${prefix}key`, from, signal)).toEqual(first);
      const never = store.nextValue(`${prefix}key3`, from, signal);
      stop.controller.abort();
      expect(await never).toBeUndefined();
    });

    it('the store ends a watch quietly when it is aborted', async () => {
      const seen = watching((await put('start', '')) + 1n);
      await until(() => seen.batches.length > 0, 'the watch');
      stop.controller.abort();
      expect(await seen.ended).toBeUndefined();
    });

    it('the store deletes the keys of a lease when that ends, and no key that was put on another lease, or on none, since', async () => {
      const [first, second] = [await store.lease(60), await store.lease(60)];
      const names = ['stays', 'moved', 'freed'].map((name) => `${prefix}${name}`);
      const puts = (lease?: Lease) => names.map((put) => ({ put, value: 'x', lease }));
      const [, moved = '', freed = ''] = names;
      await store.commit({ compare: [], write: puts(first) });
      await store.commit({ compare: [], write: [{ put: moved, value: 'y', lease: second }] });
      await store.commit({ compare: [], write: [{ put: freed, value: 'y' }] });
      expect((await store.getMany(names)).map((entry) => entry?.isLeased)).toEqual([true, true, false]);
      expect(first.isHeld()).toBe(true);
      await first.end();
      expect([first.isHeld(), first.lost.aborted, second.isHeld()]).toEqual([false, true, true]);
      expect((await store.getMany(names)).map((entry) => entry?.value)).toEqual([undefined, 'y', 'y']);
      second.leave();
      expect([second.isHeld(), (await store.get(moved))?.value]).toEqual([false, 'y']);
    });
  });
};

/** Reads a watch in the background. `ended` resolves with the error that ended it, or undefined. */
export const collect = (batches: AsyncIterable<WatchBatch>) => {
  const seen: { batches: WatchBatch[]; events: WatchEvent[]; ended: Promise<unknown> } = {
    batches: [],
    events: [],
    ended: Promise.resolve(),
  };
  seen.ended = (async () => {
    try {
      for await (const batch of batches) {
        seen.batches.push(batch);
        seen.events.push(...batch.events);
      }
      return undefined;
    } catch (error) {
      return error;
    }
  })();
  return seen;
};

export const putAll = async (store: KeyStore, prefix: string, keys: readonly string[], value = 'x'): Promise<void> => {
  for (let from = 0; from < keys.length; from += 100) {
    const write = keys.slice(from, from + 100).map((key) => ({ put: prefix + key, value }));
    await store.commit({ compare: [], write });
  }
};

const describeEvent = (event: WatchEvent): string =>
  event.kind === 'put' ? `put ${event.entry.value}` : `delete ${event.key}`;
