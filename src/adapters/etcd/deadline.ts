import { TriggerdError } from '../../domain/errors.ts';
import { formatDuration } from '../../kit/duration.ts';

/** The promise, or `etcd-unreachable` after `ms`. What lost the race goes on unheard: its owner closes its client. */
export const withDeadline = async <T>(promise: Promise<T>, ms: number, what: string): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new TriggerdError('etcd-unreachable', `${what}: no answer in ${formatDuration(ms)}`, {
            details: { late: true },
          }),
        ),
      ms,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
};
