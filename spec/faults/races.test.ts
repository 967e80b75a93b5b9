import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { burstDuringRun, raceVerbs } from '../support/fault-rounds.ts';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { processesWith } from '../support/processes.ts';
import { announced } from '../support/random.ts';

describe('races on one queue', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet();
  });
  afterAll(() => fleet?.remove());

  // The first: of the firings of the others some were under way at the same time, and have no order.
  it('I5: firings that share nothing run in the order of their acknowledgement', async () => {
    for (let i = 0; i < 15; i++) await fleet.fire(`fifo-${i}`);
    expect(await fleet.verdict({ inOrder: true })).toEqual([]);
    expect(fleet.recorder.submissions).toHaveLength(15);
  });

  it('C8: verbs at random moments overlap no jobs, lose none, run no removed one, and leave no process', async () => {
    const random = announced('C8');
    for (let round = 0; round < 6; round++) await raceVerbs(fleet, random, `c8-${round}`);
    expect(processesWith(fleet.recorder.plugins)).toEqual([]);
    expect(await fleet.verdict({ complete: false })).toEqual([]);
  });

  it('C10: identical firings during a run add one run, and none of them is lost', async () => {
    const random = announced('C10');
    for (let round = 0; round < 6; round++) await burstDuringRun(fleet, random, `c10-${round}`);
    expect(await fleet.verdict({ complete: false })).toEqual([]);
  });
});
