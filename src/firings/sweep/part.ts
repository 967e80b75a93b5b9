/** What every part of a round is given, and what it gives back. */

import type { Clock } from '../../kit/clock.ts';
import type { Log } from '../../kit/log.ts';
import type { Election } from '../../store/election.ts';
import type { Keyspace } from '../../store/keyspace.ts';

export interface RoundOptions extends Keyspace {
  readonly election: Election;
  /** How long something unfinished must have stayed as it is to count as abandoned. */
  readonly abandonedMs: number;
  /** Finished firings beyond this number are forgotten, the oldest first. */
  readonly firingsKept: number;
  /** Finished firings are forgotten this long after their end. */
  readonly firingsMaxAgeMs: number;
  /** Records of requests are forgotten this long after their end. */
  readonly requestsMaxAgeMs: number;
  /** Records of requests beyond so many bytes are forgotten, the oldest first. */
  readonly requestsSize: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a part of a round did, in numbers for the log; `isComplete`: nothing is left for a round that follows soon. */
export interface Swept {
  readonly did: Readonly<Record<string, number>>;
  readonly isComplete: boolean;
}
