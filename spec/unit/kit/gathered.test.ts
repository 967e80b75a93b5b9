import { expect, it } from 'vitest';
import { Gathered } from '../../../src/kit/gathered.ts';

it('additions in one turn of the event loop share a commit', async () => {
  const commits: (readonly number[])[] = [];
  const gathered = new Gathered<number>((items) => void commits.push(items));
  await Promise.all([gathered.add(1), Promise.resolve().then(() => gathered.add(2))]);
  await gathered.add(3);
  expect(commits).toEqual([[1, 2], [3]]);
});

it('a commit that fails is the failure of all additions that share it, and of no other', async () => {
  const gathered = new Gathered<string>((items) => {
    if (items.includes('bad')) throw new Error('refused');
  });
  const both = await Promise.allSettled([gathered.add('bad'), gathered.add('good')]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await gathered.add('good');
});
