import { expect, it } from 'vitest';
import { HeldOutput } from '../../../src/cli/request/held-output.ts';

const line = (worker: string, text: string) => ({ worker, stream: 'out' as const, bytes: Buffer.from(text) });

it('held output is returned once, in its order, by its worker', () => {
  const held = new HeldOutput(2);
  held.add(line('w1', 'one'));
  held.add(line('w2', 'zwei'));
  held.add(line('w1', 'two'));
  expect(held.take('w1')).toEqual({ lines: [line('w1', 'one'), line('w1', 'two')], leftOut: 0 });
  expect(held.take('w1')).toEqual({ lines: [], leftOut: 0 });
  expect(held.workers()).toEqual(['w2']);
});

it.each([1, 64, 1_000])('held output of one of %i workers is bounded, and tells how much is missing', (workers) => {
  const held = new HeldOutput(workers);
  const lines = 20_000;
  for (let n = 0; n < lines; n++) held.add(line('w1', String(n).padStart(100, '0')));
  const taken = held.take('w1');
  expect(taken.leftOut).toBeGreaterThan(0);
  expect(taken.leftOut + taken.lines.length).toBe(lines);
  expect(Number(taken.lines.at(-1)?.bytes)).toBe(lines - 1);
  expect(taken.lines.length * 100 * workers).toBeLessThan(64 * 1_048_576);
});

it('held output keeps a line that is longer than the bound', () => {
  const held = new HeldOutput(1);
  held.add(line('w1', 'x'.repeat(2_000_000)));
  expect(held.take('w1').lines).toHaveLength(1);
});
