import { onAbort } from './on-abort.ts';

/**
 * What `work` gives, or what `end` gives or throws when `arm` calls back first; `arm` returns how to disarm it. Other than a race with
 * a promise that lasts, this leaves nothing behind: such a promise would keep the result of each race for as long as it is pending
 * itself. What the work does after that is heard by nobody.
 */
export const unless = <T, Ended>(
  work: Promise<T>,
  arm: (act: () => void) => () => void,
  end: () => Ended,
): Promise<T | Ended> =>
  new Promise((resolve, reject) => {
    const disarm = arm(() => {
      try {
        resolve(end());
      } catch (thrown) {
        reject(thrown);
      }
    });
    work.then(resolve, reject).finally(disarm);
  });

/** What `work` gives, or what `end` gives or throws when the signal aborts first. */
export const unlessAborted = <T, Ended>(work: Promise<T>, signal: AbortSignal, end: () => Ended): Promise<T | Ended> =>
  unless(work, (act) => onAbort(signal, act), end);
