import { withTimeout } from '../../kit/with-timeout.ts';

/** Said where nothing has come for a while. */
export const pause = Symbol('pause');

/** What comes, and `pause` once nothing has come for `pauseMs` after something; then again only after something. */
export async function* withPauses<T>(source: AsyncIterable<T>, pauseMs: number): AsyncGenerator<T | typeof pause> {
  const items = source[Symbol.asyncIterator]();
  let isAsked = false;
  try {
    for (let isAfterOne = false; ; isAfterOne = true) {
      const next = items.next();
      isAsked = true;
      if (isAfterOne && (await isSlow(next, pauseMs))) yield pause;
      const { done, value } = await next;
      isAsked = false;
      if (done === true) return;
      yield value;
    }
  } finally {
    // What was asked for may come only when our reader, who is gone, has ended the source.
    const returned = items.return?.();
    if (isAsked) returned?.catch(() => undefined);
    else await returned;
  }
}

const isSlow = (work: Promise<unknown>, ms: number): Promise<boolean> => {
  const isOver = (): boolean => false;
  // A failure is heard by whoever awaits the work itself.
  return withTimeout(work.then(isOver, isOver), ms, () => true);
};
