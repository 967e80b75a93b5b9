import { expect, it } from 'vitest';
import { fuzzBroker } from '../support/bus-fuzz.ts';
import { announced } from '../support/random.ts';

it('D8: a million hostile messages cause no crash, no stall and no leak, and leave nothing', async () => {
  const { malformed, slowestMs, heap, left } = await fuzzBroker(1_000_000, announced('a million frames'));
  const [early, late] = heap;
  process.stderr.write(`malformed ${malformed}, slowest ${slowestMs.toFixed(1)} ms, heap ${early} → ${late} bytes\n`);
  expect(left).toEqual({ peers: 0, workers: 0, requests: 0, queued: 0 });
  expect(slowestMs).toBeLessThan(200);
  // What 900,000 messages more have left behind.
  expect(late - early).toBeLessThan(20 * 2 ** 20);
}, 1_200_000);
