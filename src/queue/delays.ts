/** Lets delayed jobs go when their time has come. The journal holds the times, so a restart forgets none. */
import { TriggerdError } from '../domain/errors.ts';
import type { Clock } from '../kit/clock.ts';
import type { Log } from '../kit/log.ts';
import { startTimer } from '../kit/timer.ts';
import type { Journal } from './ports/journal.ts';
import type { Transitions } from './transitions.ts';

export type Delays = ReturnType<typeof createDelays>;

export interface DelaysOptions {
  readonly journal: Pick<Journal, 'releaseDelayed' | 'nextDelayed'>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
  /** Something of this queue may have become runnable. */
  readonly wake: (queue: string) => void;
}

/** The wall clock may be set meanwhile: nobody waits longer than this for it to be looked at. */
const longestLookMs = 30_000;

export const createDelays = ({ journal, clock, log, wake }: DelaysOptions) => {
  let cancel = (): void => undefined;
  /** Looks at what is due, and sets the clock for what is not: after a start, and after each delayed job that comes. */
  const look = (): void => {
    cancel();
    for (const queue of retryably(() => journal.releaseDelayed(clock.now()), [])) wake(queue);
    const next = retryably(() => journal.nextDelayed(), clock.now() + longestLookMs);
    if (next === undefined) return;
    cancel = startTimer(Math.min(longestLookMs, Math.max(1, next - clock.now())), look);
  };
  const retryably = <T>(work: () => T, otherwise: T): T => {
    try {
      return work();
    } catch (thrown) {
      if (!(thrown instanceof TriggerdError && thrown.retryable)) throw thrown;
      log.warn({ error: thrown }, 'Cannot examine delayed jobs; retrying');
      return otherwise;
    }
  };
  return { look, close: (): void => cancel() };
};

const batch = 100;

/**
 * Jobs that wait for the success of one that did not succeed end at once, and so do their own dependents: nobody should wait
 * for their turn. Returns what to call after the end of a job.
 */
export const createHopelessSkipper = (context: {
  readonly journal: Pick<Journal, 'hopeless'>;
  readonly transitions: Pick<Transitions, 'skip'>;
  readonly log: Pick<Log, 'warn'>;
}): (() => void) => {
  let isSkipping = false;
  return () => {
    // What is skipped here is announced, which brings us back here: the loop below sees it.
    if (isSkipping) return;
    isSkipping = true;
    try {
      for (let found = context.journal.hopeless(batch); found.length > 0; found = context.journal.hopeless(batch))
        for (const { id, reason } of found) context.transitions.skip(id, reason);
    } catch (thrown) {
      context.log.warn({ error: thrown }, 'Cannot skip jobs that can never start; retrying');
    } finally {
      isSkipping = false;
    }
  };
};
