import { expect, it } from 'vitest';
import { fuzzBroker } from '../../support/bus-fuzz.ts';
import { announced } from '../../support/random.ts';

// A million of them: spec/soak/bus-fuzz.test.ts.
it('D8: 5,000 hostile messages are each processed or refused, none takes long, and nothing is left of them', async () => {
  const { understood, malformed, slowestMs, left } = await fuzzBroker(5_000, announced('frames'));
  expect(left).toEqual({ peers: 0, workers: 0, requests: 0, queued: 0 });
  expect(slowestMs).toBeLessThan(200);
  expect(malformed).toBeGreaterThan(500);
  expect(understood).toBeGreaterThan(500);
});
