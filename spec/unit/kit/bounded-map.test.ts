import { expect, it } from 'vitest';
import { BoundedMap } from '../../../src/kit/bounded-map.ts';

it('a bounded map forgets its oldest entry, and one that is set again is the newest', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1).set('b', 2).set('a', 3).set('c', 4);
  expect([...map]).toEqual([
    ['a', 3],
    ['c', 4],
  ]);
});

it('a bounded map forgets entries of any value, and keeps a hundred thousand in order', () => {
  const map = new BoundedMap<number | undefined, undefined>(1_000);
  map.set(undefined, undefined);
  for (let key = 0; key < 100_000; key++) map.set(key, undefined);
  expect([map.size, map.has(undefined), [...map.keys()][0]]).toEqual([1_000, false, 99_000]);
});
