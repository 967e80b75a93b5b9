import { unlessAborted } from '../../kit/unless-aborted.ts';
import { Interrupted } from './interrupted.ts';

/** What the promise gives, or `Interrupted` as soon as Ctrl-C is pressed; what comes later is nobody's then. */
export const unlessInterrupted = <T>(promise: Promise<T>, interrupt: AbortSignal): Promise<T> =>
  unlessAborted(promise, interrupt, () => {
    throw new Interrupted();
  });
