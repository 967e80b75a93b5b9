import type { OutputStream, WireOutcome } from '../bus/messages.ts';
import type { Tail } from '../kit/text-or-bytes.ts';

/** Workers are named by their identities. Times are of the broker's monotonic clock, in ms. */
export type LegState =
  | { readonly kind: 'new' }
  | Absent
  | Asked
  | Waiting
  | { readonly kind: 'sent'; readonly worker: string }
  | Over;

export interface Absent {
  readonly kind: 'absent';
  /** Who may have it. */
  readonly suspects: readonly string[];
  readonly until: number;
}

export interface Asked {
  readonly kind: 'asked';
  /** Who had it last, as far as this broker knows. */
  readonly worker: string | null;
  /** Who has not answered. */
  readonly open: readonly string[];
  readonly until: number;
  /** One of them is gone without an answer: it may have run. */
  readonly isDoubtful: boolean;
}

export interface Waiting {
  readonly kind: 'waiting';
  /** It has waited before: it goes first. */
  readonly isAgain: boolean;
}

export interface Over {
  readonly kind: 'over';
  /** Who had it; null: nobody. */
  readonly worker: string | null;
  readonly outcome: WireOutcome;
  readonly told: Told;
}

/** What only its worker can tell of the end. */
export interface Told {
  readonly node: string | null;
  readonly job: number | null;
  readonly tail: Tail;
  /** All of its output, where that goes to the client with the end of the request. */
  readonly output: { readonly stream: OutputStream; readonly bytes: Buffer } | null;
}

export const newLeg: LegState = { kind: 'new' };
