import type { FastifyReply } from 'fastify';
import { TriggerdError } from '../domain/errors.ts';
import { startTimer } from '../kit/timer.ts';

/** A signal that aborts when the caller hangs up, or after `timeoutMs`. */
export const callerSignal = (reply: FastifyReply, timeoutMs?: number): AbortSignal => {
  const controller = new AbortController();
  const giveUp = (why: string): void => controller.abort(new TriggerdError('timed-out', why));
  const cancel = timeoutMs === undefined ? () => undefined : startTimer(timeoutMs, () => giveUp('the time has passed'));
  reply.raw.once('close', () => {
    cancel();
    giveUp('the caller hung up');
  });
  return controller.signal;
};

/** Runs a wait; an abort by the deadline becomes `timed-out` with these words. */
export const waitOrTimeOut = async <T>(work: Promise<T>, signal: AbortSignal, what: string): Promise<T> => {
  try {
    return await work;
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    throw new TriggerdError('timed-out', `${what} did not happen in time`, { cause: thrown });
  }
};
