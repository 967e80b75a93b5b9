import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HistoryPages } from '../../../src/bus/fleet/history-pages.ts';
import { busKeysBelow } from '../../../src/bus/fleet/keys.ts';
import type { RequestRecord } from '../../../src/bus/ports.ts';
import type { Transaction } from '../../../src/watch/ports.ts';
import { recordingLog } from '../../support/recording-log.ts';

const mebibyte = 2 ** 20;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A page of its own. */
const large = (id: string) =>
  ({ id, team: 'team1', legs: [], command: 'x'.repeat(200_000) }) as unknown as RequestRecord;

it('writes a burst at once and a flood slowly, and drops what does not fit the wait', async () => {
  const written: Transaction[] = [];
  const store = {
    commit: async (transaction: Transaction) => {
      written.push(transaction);
      return { succeeded: true, revision: 1n, read: [] };
    },
  };
  const history = new HistoryPages({ store, keys: busKeysBelow('/t'), log: recordingLog() });
  const bytes = () => written.length * 200_000;

  for (let batch = 0; batch < 4; batch++) {
    for (let count = 0; count < 60; count++) history.record(large(`r${batch}-${count}`));
    await vi.advanceTimersByTimeAsync(2_000);
  }
  expect(history.dropped).toBe(0);
  expect(bytes()).toBeGreaterThan(32 * mebibyte);
  expect(bytes()).toBeLessThan(34 * mebibyte);

  await vi.advanceTimersByTimeAsync(60_000);
  expect(bytes()).toBeGreaterThan(35 * mebibyte);
  expect(bytes()).toBeLessThan(38 * mebibyte);

  for (let count = 0; count < 200; count++) history.record(large(`s${count}`));
  expect(history.dropped).toBeGreaterThan(0);
  await history.close();
  expect(written.length + history.dropped).toBe(440);
});
