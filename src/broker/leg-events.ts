/** Events and effects of the leg machine. Workers are named by their identities, times are in ms. */
import type { WireOutcome } from '../bus/messages.ts';
import type { WorkerReport } from './leg-state.ts';

export type LegEvent =
  | { readonly kind: 'begin' }
  /** Another broker had the request before, so it may have been started. */
  | { readonly kind: 'resume'; readonly now: number }
  /** Which of the suspects are connected, or were a moment ago. Answers `find-suspects`. */
  | { readonly kind: 'suspects-found'; readonly present: readonly string[]; readonly now: number }
  /** Whether any worker serves its target, free or not. Answers `check-workers`. */
  | { readonly kind: 'workers-checked'; readonly availability: Availability; readonly now: number }
  /** A worker has a slot for it. */
  | { readonly kind: 'given'; readonly worker: string }
  /** The worker had no slot: it has not started it. */
  | { readonly kind: 'returned' }
  | { readonly kind: 'answered'; readonly worker: string; readonly isKnown: boolean }
  | { readonly kind: 'finished'; readonly outcome: WireOutcome; readonly report: WorkerReport }
  /** The worker has connected. */
  | { readonly kind: 'worker-came'; readonly worker: string }
  /** The same process has a new connection. */
  | { readonly kind: 'worker-back'; readonly worker: string; readonly now: number }
  /** The worker will not come back. `hasOther`: another candidate could replace it. */
  | { readonly kind: 'worker-lost'; readonly worker: string; readonly hasOther: boolean }
  /** No worker serves its target any more. */
  | { readonly kind: 'unserved' }
  /** Another client has taken over the request, and has seen none of the output. */
  | { readonly kind: 'replayed'; readonly now: number }
  | { readonly kind: 'cancelled'; readonly reason: string }
  | { readonly kind: 'tick'; readonly now: number }
  /** The deadline of the request has passed. */
  | { readonly kind: 'deadline'; readonly now: number }
  | { readonly kind: 'broker-stops' };

export type Availability = 'served' | 'unserved' | 'broker-stops';

export type LegEffect =
  | { readonly kind: 'check-workers' }
  /** Gives the leg to the next worker with a free slot, or queues it. */
  | { readonly kind: 'dispatch'; readonly isAgain: boolean }
  | { readonly kind: 'find-suspects'; readonly suspects: readonly string[] }
  /** Asks these workers whether they have ever started it. */
  | { readonly kind: 'query'; readonly workers: readonly string[] }
  /** Takes a slot of the worker. */
  | { readonly kind: 'send'; readonly worker: string }
  | { readonly kind: 'tell-cancelled'; readonly worker: string; readonly reason: string }
  /** Tells the client soon which worker has it. */
  | { readonly kind: 'announce' }
  /** Counts output from 0: the worker sends it from the first byte. */
  | { readonly kind: 'restart-output' }
  /** Forwards output to the client from the first byte. */
  | { readonly kind: 'replay-output' }
  /** Begins another leg for these workers; the client hears that this one has ended. */
  | { readonly kind: 'replace'; readonly candidates: readonly string[] }
  /** The algorithm continues or finishes the request. */
  | { readonly kind: 'continue-request' };
