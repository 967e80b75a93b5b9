import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HistoryPages } from '../../../src/broker/records/history-pages.ts';
import { TriggerdError } from '../../../src/domain/errors.ts';
import type { RequestRecord } from '../../../src/domain/request-record.ts';
import { busKeysBelow } from '../../../src/fleet/brokers/wire.ts';
import type { Transaction } from '../../../src/store/key-store.ts';
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
  ({ id, user: `user of ${id}`, team: 'team1', legs: [], command: 'x'.repeat(200_000) }) as unknown as RequestRecord;

it('records of requests are written immediately after a burst and slowly in a flood; what exceeds the wait is dropped', async () => {
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

const storeOf = (written: Transaction[]) => ({
  commit: async (transaction: Transaction) => {
    written.push(transaction);
    return { succeeded: true, revision: 1n, read: [] };
  },
});

it('records of requests of one user get a share of the writes, and the rest is kept for others', async () => {
  const written: Transaction[] = [];
  const history = new HistoryPages({ store: storeOf(written), keys: busKeysBelow('/t'), log: recordingLog() });
  for (let count = 0; count < 200; count++) history.record({ ...large(`r${count}`), user: 'mallory' });
  const dropped = history.dropped;
  expect(dropped).toBeGreaterThan(150);
  history.record({ ...large('other'), user: 'ann' });
  expect(history.dropped).toBe(dropped);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(written.length * 200_000).toBeLessThan(9 * mebibyte);
  expect(written.some(({ write }) => JSON.stringify(write).includes('other'))).toBe(true);
  await history.close();
});

it('records of requests are not written where etcd is nearly full, and the dropped ones are counted', async () => {
  const written: Transaction[] = [];
  let isFull = true;
  const assertSpace = async (): Promise<void> => {
    if (isFull) throw new TriggerdError('etcd-nearly-full', 'full');
  };
  const options = { store: storeOf(written), keys: busKeysBelow('/t'), log: recordingLog(), assertSpace };
  const history = new HistoryPages(options);
  history.record(large('first'));
  await vi.advanceTimersByTimeAsync(3_000);
  expect([written.length, history.dropped]).toEqual([0, 1]);
  isFull = false;
  history.record(large('second'));
  await vi.advanceTimersByTimeAsync(3_000);
  expect([written.length, history.dropped]).toEqual([1, 1]);
  await history.close();
});
