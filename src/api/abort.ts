import type { FastifyReply } from 'fastify';
import { TriggerdError } from '../domain/errors.ts';

/** A signal that aborts when the caller hangs up, or after `timeoutMs`. */
export const callerSignal = (reply: FastifyReply, timeoutMs?: number): AbortSignal => {
  const hungUp = new AbortController();
  reply.raw.once('close', () => hungUp.abort(new TriggerdError('timed-out', 'the caller hung up')));
  return timeoutMs === undefined ? hungUp.signal : AbortSignal.any([hungUp.signal, AbortSignal.timeout(timeoutMs)]);
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
