import { withTimeout } from '../../kit/with-timeout.ts';

/**
 * A system call on a file that somebody else serves (FUSE, NFS) may never return, and nothing can take back the thread that
 * waits in it. Node has four of them for all files, so only so many calls may be lost like this.
 */

/** More than these never wait at the same time; what comes then waits for its turn, or is told that others hang. */
const atOnce = 2;
/** A report of 128 MiB takes a second or two, where the machine is not busy. */
const patienceMs = 10_000;

/** What was to be read does not answer. */
export class Hanging extends Error {}

let running = 0;
let lost = 0;
const waiting: (() => void)[] = [];

/** Whether threads of this process wait in calls that do not return: it cannot end by itself then. */
export const hasLostThreads = (): boolean => lost > 0;

/** Gives what `work` gives, or throws `Hanging` after ten seconds. `work` asks `isGivenUp` before it tells anybody anything. */
export const withPatience = async <T>(
  work: (isGivenUp: () => boolean) => Promise<T>,
  limitMs = patienceMs,
): Promise<T> => {
  await turn();
  let isGivenUp = false;
  const working = work(() => isGivenUp);
  const settled = (): void => {
    if (isGivenUp) lost -= 1;
    running -= 1;
    waiting.shift()?.();
  };
  working.then(settled, settled);
  return withTimeout(working, limitMs, () => {
    isGivenUp = true;
    lost += 1;
    if (lost >= atOnce) for (const wake of waiting.splice(0)) wake();
    throw new Hanging(`it gives no answer within ${limitMs / 1000} s`);
  });
};

const turn = async (): Promise<void> => {
  while (running >= atOnce) {
    if (lost >= atOnce) throw new Hanging('other files give no answer');
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
  running += 1;
};
