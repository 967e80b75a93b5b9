import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { announced } from '../support/random.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a daemon that is killed', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet();
  });
  afterAll(() => fleet?.remove());

  it('A1 A3: at random points between accept and result loses nothing and runs nothing twice', async () => {
    const random = announced('A1');
    const [node] = fleet.nodes;
    for (let round = 0; round < 12; round++) {
      const fired = Promise.all(Array.from({ length: 6 }, (_, i) => fleet.fire(`k${round}-${i % 4}`, { ms: i * 5 })));
      await pause(random.between(0, 120));
      await node?.crash();
      await node?.start();
      await fired;
    }
    expect(await fleet.verdict()).toEqual([]);
    expect((await fleet.record()).executions.length).toBeGreaterThanOrEqual(12);
  }, 60_000);
});
