import { expect, it } from 'vitest';
import { cutPower } from '../support/power-cuts.ts';
import { announced } from '../support/random.ts';

it('A7: what was acknowledged is there after a power cut at any moment', async () => {
  const { lost, promises, violations } = await cutPower(20, announced('A7 power'));
  expect({ lost, violations }).toEqual({ lost: [], violations: [] });
  expect(promises).toBeGreaterThan(200);
});
