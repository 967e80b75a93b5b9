import { formatDuration } from '../kit/duration.ts';
import { withTimeout } from '../kit/with-timeout.ts';
import { FsError } from './errno.ts';

/**
 * What a mount waits for an answer that needs no services. Less than the bound of the file system's own
 * (`adapters/fuse/mount.ts`), which does not know what happens inside.
 */
export const answerMs = 8_000;

/**
 * `work`, or ETIMEDOUT after `ms`. Whoever waits for us cannot be killed, and a daemon that is frozen answers nothing.
 */
export const withAnswerTimeout = <T>(work: Promise<T>, ms: number = answerMs): Promise<T> =>
  withTimeout(work, ms, () => {
    throw new FsError('ETIMEDOUT', `no answer in ${formatDuration(ms)}`);
  });
