import { describe, expect, it } from 'vitest';
import { retryDelayMs, storeRetry } from '../../../src/kit/retry.ts';

describe('the retry policy for etcd', () => {
  it('the retry policy for etcd grows to its maximum and stays there, always within its jitter', () => {
    for (let attempt = 1; attempt <= 2000; attempt += 1) {
      const delay = retryDelayMs(storeRetry, attempt);
      expect(delay).toBeGreaterThanOrEqual(100);
      expect(delay).toBeLessThanOrEqual(30_000);
    }
    expect(retryDelayMs(storeRetry, 1, () => 0)).toBe(200);
    expect(retryDelayMs(storeRetry, 50, () => 0)).toBe(30_000);
  });
});
