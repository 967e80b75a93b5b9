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
  /** Workers that may have it. */
  readonly suspects: readonly string[];
  readonly until: number;
}

export interface Asked {
  readonly kind: 'asked';
  /** The worker that had it last, as far as this broker knows. */
  readonly worker: string | null;
  /** Workers that have not answered the query. */
  readonly open: readonly string[];
  readonly until: number;
  /** One of them was lost before it answered: the leg may have run. */
  readonly isDoubtful: boolean;
}

export interface Waiting {
  readonly kind: 'waiting';
  /** It has waited before, so it goes first. */
  readonly isAgain: boolean;
}

export interface Over {
  readonly kind: 'over';
  /** The worker that had it; null: none. */
  readonly worker: string | null;
  readonly outcome: WireOutcome;
  readonly report: WorkerReport;
}

/** What only the worker knows of the end. */
export interface WorkerReport {
  readonly node: string | null;
  readonly job: number | null;
  readonly tail: Tail;
  /** All output, where it goes to the client in the same message as the end of the request. */
  readonly output: { readonly stream: OutputStream; readonly bytes: Buffer } | null;
}

export const newLeg: LegState = { kind: 'new' };
