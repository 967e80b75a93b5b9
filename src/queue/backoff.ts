/**
 * When the journal, the disk or the system refuses, a queue backs off, longer each time, and then looks again. However many
 * tasks have failed, a queue has one timer; and an outage is two lines in the log, not thousands.
 */
import { type RetryPolicy, retryDelayMs } from '../kit/retry.ts';
import type { NamedQueue, QueueContext } from './context.ts';

const policy: RetryPolicy = { firstMs: 500, factor: 2, maxMs: 10_000, jitter: 0.5 };

export const isBackingOff = (queue: NamedQueue): boolean => queue.outage?.timer !== undefined;

/** Backs off, and begins an outage if there is none; `after` is called once when it has ended. */
export const backOff = (
  { log }: Pick<QueueContext, 'log'>,
  queue: NamedQueue,
  thrown: unknown,
  after: () => void,
): void => {
  if (isBackingOff(queue)) return;
  const failures = (queue.outage?.failures ?? 0) + 1;
  if (failures === 1)
    log.error({ error: thrown, queue: queue.name }, 'The next job of the queue could not be started; retrying');
  const timer = setTimeout(
    () => {
      queue.outage = { failures, timer: undefined };
      after();
    },
    retryDelayMs(policy, failures),
  ).unref();
  queue.outage = { failures, timer };
};

/** Something went well: the outage, if there was one, has ended. */
export const backoffIsOver = ({ log }: Pick<QueueContext, 'log'>, queue: NamedQueue): void => {
  if (queue.outage === undefined || isBackingOff(queue)) return;
  log.info({ queue: queue.name, failures: queue.outage.failures }, 'Jobs of the queue start again');
  queue.outage = undefined;
};

/** For the end of the daemon. */
export const cancelBackoff = (queue: NamedQueue): void => {
  clearTimeout(queue.outage?.timer);
  queue.outage = undefined;
};
