/**
 * Retry policies as named data (after asyncjobs' `retrypolicy.go`): full jitter around steps that grow to a maximum.
 */
export interface RetryPolicy {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
  /** 0 to 1: how much of each delay is random. */
  readonly jitter: number;
}

/** For etcd being away: quick at first, never more often than every half minute after that. */
export const storeRetry: RetryPolicy = { firstMs: 200, factor: 2, maxMs: 30_000, jitter: 0.5 };

/** The delay before attempt `attempt` (1 is the first retry). `random` gives 0 ≤ x < 1. */
export const retryDelayMs = (policy: RetryPolicy, attempt: number, random: () => number = Math.random): number => {
  const full = Math.min(policy.maxMs, policy.firstMs * policy.factor ** Math.max(0, attempt - 1));
  return Math.round(full * (1 - policy.jitter * random()));
};
