import { expect, it } from 'vitest';
import { describeHeadline, headline } from '../support/headline.ts';
import { announced } from '../support/random.ts';

const count = Number(process.env['SOAK_FIRINGS'] ?? 10_000);

it(`headline: ${count} firings to three nodes under random faults; 0 lost, 0 run twice, 0 overlapping`, async () => {
  const result = await headline(count, announced('headline'), [100, 600], 300_000);
  process.stderr.write(`${describeHeadline(result)}\n`);
  expect(result.violations).toEqual([]);
  expect(result.record.submissions.every(({ ackedAt }) => ackedAt !== null)).toBe(true);
});
