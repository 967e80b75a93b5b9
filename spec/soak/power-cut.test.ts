import { expect, it } from 'vitest';
import { cutPower } from '../support/power-cuts.ts';
import { announced } from '../support/random.ts';

const daemons = 6;
/** Of each; 300 in all. */
const cuts = Number(process.env['SOAK_ROUNDS'] ?? 50);

it(`A7: ${daemons * cuts} power cuts at random moments lose nothing that was acknowledged`, async () => {
  const random = announced('A7 power');
  let looked = 0;
  for (let daemon = 0; daemon < daemons; daemon++) {
    const { lost, promises, violations } = await cutPower(cuts, random);
    expect({ lost, violations }).toEqual({ lost: [], violations: [] });
    looked += promises;
  }
  process.stderr.write(`A7: ${daemons * cuts} power cuts, ${looked} promises looked up, 0 lost\n`);
});
