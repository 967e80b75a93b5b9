/**
 * What `work` gives, or what `onAbort` makes when the signal aborts first. Other than a race with a promise that lasts, it leaves nothing
 * behind: such a promise would keep the result of each race for as long as it is pending itself.
 */
export const unlessAborted = <T, Aborted>(
  work: Promise<T>,
  signal: AbortSignal,
  onAbort: () => Aborted,
): Promise<T | Aborted> =>
  new Promise((resolve, reject) => {
    const end = (): void => resolve(onAbort());
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
  });
