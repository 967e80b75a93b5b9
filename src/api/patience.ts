import { TriggerdError } from '../domain/errors.ts';
import { startTimer } from '../kit/timer.ts';

/**
 * Waits until `work` is done, the caller hangs up, or `timeoutMs` have passed; both of these are `timed-out`, with `what`.
 */
export const waitPatiently = async <T>(
  work: (signal: AbortSignal) => Promise<T>,
  what: string,
  hungUp: AbortSignal,
  timeoutMs: number | undefined,
): Promise<T> => {
  const late = new AbortController();
  const cancel = timeoutMs === undefined ? () => undefined : startTimer(timeoutMs, () => late.abort());
  const signal = AbortSignal.any([hungUp, late.signal]);
  try {
    return await work(signal);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    throw new TriggerdError('timed-out', `${what} did not happen in time`, { cause: thrown });
  } finally {
    cancel();
  }
};
