import { setTimeout as sleep } from 'node:timers/promises';
import { TriggerdError } from '../../domain/errors.ts';
import { startTimer } from '../../kit/timer.ts';
import { Interrupted } from './interruption.ts';
import type { Session } from './session.ts';

/** A daemon that restarts (an upgrade by Puppet, say) is back well within this time. */
const reconnectForMs = 30_000;
const reconnectEveryMs = 500;

export interface Patience {
  /** Gives the whole thing up; `Interrupted` is thrown then. */
  readonly signal?: AbortSignal;
  /** The daemon has answered before; else it gets no second chance before its first word. */
  readonly heardBefore?: boolean;
}

/**
 * Makes another attempt when the daemon goes away in the middle of one. An attempt calls `heard` once it was answered.
 * `Interrupted` is thrown as of something that was followed.
 */
export const throughRestarts = async <T>(
  session: Session,
  attempt: (heard: () => void) => Promise<T>,
  { signal, heardBefore = false }: Patience = {},
): Promise<T> => {
  let wasHeard = heardBefore;
  let lostAt: number | undefined;
  const heard = (): void => {
    wasHeard = true;
    lostAt = undefined;
  };
  for (;;) {
    try {
      return await attempt(heard);
    } catch (error) {
      if (error instanceof Interrupted) throw new Interrupted({ wasFollowing: true });
      const mayComeBack = error instanceof TriggerdError && error.retryable && wasHeard;
      lostAt ??= Date.now();
      if (!mayComeBack || Date.now() - lostAt > reconnectForMs) throw error;
    }
    await pause(signal === undefined ? session.interrupt : AbortSignal.any([session.interrupt, signal]));
  }
};

const pause = async (signal: AbortSignal): Promise<void> => {
  await sleep(reconnectEveryMs, undefined, { signal }).catch(() => {
    throw new Interrupted({ wasFollowing: true });
  });
};

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
