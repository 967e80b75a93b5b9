import type { Asker, Caller } from './caller.ts';

/** What a proof says about a request that it came with. */
export interface Behalf {
  /** Who asked before, the first one first. */
  readonly askers: readonly Asker[];
  readonly callers: readonly Caller[];
  /** Requests from inside jobs, this one included. */
  readonly depth: number;
  /** ms since the epoch: nothing of it lasts longer than what it is a part of. */
  readonly endsAt: number;
}
