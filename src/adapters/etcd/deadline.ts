import { TriggerdError } from '../../domain/errors.ts';
import { formatDuration } from '../../kit/duration.ts';
import { withTimeout } from '../../kit/with-timeout.ts';

/** The promise, or `etcd-unreachable` after `ms`. What lost the race continues unheard: its owner closes its client. */
export const withDeadline = <T>(promise: Promise<T>, ms: number, what: string): Promise<T> =>
  withTimeout(promise, ms, () => {
    const why = `${what}: no answer in ${formatDuration(ms)}`;
    throw new TriggerdError('etcd-unreachable', why, { details: { late: true } });
  });
