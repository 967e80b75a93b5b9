import { expect, it } from 'vitest';
import { describeHeadline, headline } from '../support/headline.ts';
import { announced } from '../support/random.ts';

it('headline: 300 firings to three nodes under random faults; 0 lost, 0 run twice, 0 overlapping', async () => {
  const result = await headline(300, announced('headline'), [50, 250], 60_000);
  process.stderr.write(`${describeHeadline(result)}\n`);
  expect(result.violations).toEqual([]);
  expect(result.record.submissions.every(({ ackedAt }) => ackedAt !== null)).toBe(true);
});
