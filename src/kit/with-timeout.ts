import { startTimer } from './timer.ts';
import { unless } from './unless-aborted.ts';

/** What `work` gives, or what `end` gives or throws when that takes more than `ms`. */
export const withTimeout = <T, Ended>(work: Promise<T>, ms: number, end: () => Ended): Promise<T | Ended> =>
  unless(work, (act) => startTimer(ms, act), end);
