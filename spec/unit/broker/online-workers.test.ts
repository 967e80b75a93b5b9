import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { OnlineWorkers } from '../../../src/broker/records/online-workers.ts';
import { busKeysBelow } from '../../../src/fleet/brokers/wire.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('the list of thousands of online workers is written the less often, however often one leaves and returns', async () => {
  let value = (): string => '';
  let bytes = 0;
  const name = {
    keep: (_key: string, of: () => string) => {
      value = of;
      return {
        refresh: () => {
          bytes += value().length;
        },
        close: async () => undefined,
      };
    },
  };
  const online = new OnlineWorkers(name, busKeysBelow('/t'), 'broker1', { now: () => 0 });
  const worker = (identity: string) => ({ team: 'team1', identity, node: 'node1.example.com', version: '1' });
  for (let count = 0; count < 5_000; count++) online.online(worker(`w${count}`));
  await vi.advanceTimersByTimeAsync(60_000);
  const first = bytes;
  expect(first).toBeGreaterThan(400_000);
  for (let second = 0; second < 600; second++) {
    online.offline('team1', 'w1');
    online.online(worker('w1'));
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(bytes - first).toBeLessThan(12 * 2 ** 20);
  expect(bytes - first).toBeGreaterThan(first);
  await online.close();
});
