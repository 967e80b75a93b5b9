import { Interrupted } from './interrupted.ts';

/** What the promise gives, or `Interrupted` as soon as Ctrl-C is pressed; what comes later is nobody's then. */
export const unlessInterrupted = async <T>(promise: Promise<T>, interrupt: AbortSignal): Promise<T> => {
  let stop: (() => void) | undefined;
  const interrupted = new Promise<never>((_, reject) => {
    stop = () => reject(new Interrupted());
    interrupt.addEventListener('abort', stop, { once: true });
    if (interrupt.aborted) stop();
  });
  try {
    return await Promise.race([promise, interrupted]);
  } finally {
    if (stop !== undefined) interrupt.removeEventListener('abort', stop);
  }
};
