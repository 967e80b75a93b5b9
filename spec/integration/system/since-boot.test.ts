import { uptime } from 'node:os';
import { expect, it } from 'vitest';
import { createSinceBoot } from '../../../src/adapters/system/since-boot.ts';
import { until } from '../../support/wait.ts';

it('the uptime is the time since the machine was started, and only increases', async () => {
  const before = uptime() * 1_000;
  const sinceBoot = createSinceBoot();
  const first = sinceBoot();
  expect(first).toBeGreaterThanOrEqual(before - 1);
  expect(first).toBeLessThanOrEqual(uptime() * 1_000 + 1);
  const second = sinceBoot();
  expect(second).toBeGreaterThanOrEqual(first);
  await until(() => sinceBoot() > second, 'the clock to continue');
});
