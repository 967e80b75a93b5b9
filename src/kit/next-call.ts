import { onAbort } from './on-abort.ts';

/** Resolves when `subscribe` calls back, or when the signal aborts. `subscribe` returns how to unsubscribe, which is done then. */
export const nextCall = (subscribe: (call: () => void) => () => void, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    let isOver = false;
    const offs: (() => void)[] = [];
    const end = (): void => {
      isOver = true;
      for (const off of offs.splice(0)) off();
      resolve();
    };
    const keep = (off: () => void): void => (isOver ? off() : void offs.push(off));
    keep(subscribe(end));
    if (signal !== undefined) keep(onAbort(signal, end));
  });
