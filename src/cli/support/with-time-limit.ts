import type { TriggerdError } from '../../domain/errors.ts';
import { startTimer } from '../../kit/timer.ts';
import { Interrupted } from './interrupted.ts';
import type { Session } from './session.ts';

/** Runs `work` with a signal that aborts after `ms`, if there is a limit; throws `timedOut()` when that ended it. */
export const withTimeLimit = async <T>(
  session: Session,
  ms: number | undefined,
  work: (signal: AbortSignal) => Promise<T>,
  timedOut: () => TriggerdError,
): Promise<T> => {
  const controller = new AbortController();
  const cancel = ms === undefined ? () => undefined : startTimer(ms, () => controller.abort());
  try {
    return await work(controller.signal);
  } catch (error) {
    if (error instanceof Interrupted && controller.signal.aborted && !session.interrupt.aborted) throw timedOut();
    throw error;
  } finally {
    cancel();
  }
};
