/**
 * When the journal, the disk or the system refuses, a queue backs off, longer each time, and then looks again. However many
 * tasks have failed, a queue has one timer; and an outage is two lines in the log, not thousands.
 */
import { type RetryPolicy, retryDelayMs } from '../kit/retry.ts';
import type { NamedQueue, QueueContext } from './context.ts';

const policy: RetryPolicy = { firstMs: 500, factor: 2, maxMs: 10_000, jitter: 0.5 };

export const isBackingOff = (queue: NamedQueue): boolean => queue.backoff?.timer !== undefined;

/** Backs off, and begins an outage if there is none; `after` is called once when it has ended. */
export const backOff = (
  { log }: Pick<QueueContext, 'log'>,
  queue: NamedQueue,
  thrown: unknown,
  after: () => void,
): void => {
  if (isBackingOff(queue)) return;
  const failures = (queue.backoff?.failures ?? 0) + 1;
  if (failures === 1)
    log.error({ error: thrown, queue: queue.name }, 'The next job of the queue could not be started; retrying');
  const timer = setTimeout(
    () => {
      queue.backoff = { failures, timer: undefined };
      after();
    },
    retryDelayMs(policy, failures),
  ).unref();
  queue.backoff = { failures, timer };
};

/** Something went well: the outage, if there was one, has ended. */
export const backoffIsOver = ({ log }: Pick<QueueContext, 'log'>, queue: NamedQueue): void => {
  if (queue.backoff === undefined || isBackingOff(queue)) return;
  log.info({ queue: queue.name, failures: queue.backoff.failures }, 'Jobs of the queue start again');
  queue.backoff = undefined;
};

/** For the end of the daemon. */
export const cancelBackoff = (queue: NamedQueue): void => {
  clearTimeout(queue.backoff?.timer);
  queue.backoff = undefined;
};
