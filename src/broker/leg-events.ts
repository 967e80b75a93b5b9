/** What happens to a leg, and what the leg machine wants done. Workers are named by their identities, times are in ms. */
import type { WireOutcome } from '../bus/messages.ts';
import type { Told } from './leg-state.ts';

export type LegEvent =
  | { readonly kind: 'begin' }
  /** The request was asked of another broker before: it may have been started. */
  | { readonly kind: 'resume'; readonly now: number }
  /** Which of the suspects are connected, or were a moment ago. Answers `find-suspects`. */
  | { readonly kind: 'suspects-found'; readonly present: readonly string[]; readonly now: number }
  /** Whether any worker takes it, free or not. Answers `check-workers`. */
  | { readonly kind: 'workers-checked'; readonly availability: Availability; readonly now: number }
  /** A worker has a slot for it. */
  | { readonly kind: 'given'; readonly worker: string }
  /** The worker had no slot: it has not started it. */
  | { readonly kind: 'returned' }
  | { readonly kind: 'answered'; readonly worker: string; readonly isKnown: boolean }
  | { readonly kind: 'finished'; readonly outcome: WireOutcome; readonly told: Told }
  /** It is connected, and was not before. */
  | { readonly kind: 'worker-came'; readonly worker: string }
  /** The same process, on a new connection. */
  | { readonly kind: 'worker-back'; readonly worker: string; readonly now: number }
  /** It is gone for good. `hasOther`: another candidate could take its place. */
  | { readonly kind: 'worker-lost'; readonly worker: string; readonly hasOther: boolean }
  /** No worker serves its target any more. */
  | { readonly kind: 'unserved' }
  /** Another client has taken over the request: it has seen nothing of the output. */
  | { readonly kind: 'replayed'; readonly now: number }
  | { readonly kind: 'cancelled'; readonly reason: string }
  | { readonly kind: 'tick'; readonly now: number }
  /** The time of the request is over. */
  | { readonly kind: 'deadline'; readonly now: number }
  | { readonly kind: 'broker-stops' };

export type Availability = 'served' | 'unserved' | 'broker-stops';

export type LegEffect =
  | { readonly kind: 'check-workers' }
  /** To the next worker with a free slot, else into the queue. */
  | { readonly kind: 'dispatch'; readonly isAgain: boolean }
  | { readonly kind: 'find-suspects'; readonly suspects: readonly string[] }
  /** Asks these workers whether they have ever started it. */
  | { readonly kind: 'query'; readonly workers: readonly string[] }
  /** Takes a slot of the worker. */
  | { readonly kind: 'send'; readonly worker: string }
  | { readonly kind: 'tell-cancelled'; readonly worker: string; readonly reason: string }
  /** The client hears soon which worker has it. */
  | { readonly kind: 'announce' }
  /** The worker sends its output from the first byte. */
  | { readonly kind: 'restart-output' }
  /** The client gets the output from the first byte. */
  | { readonly kind: 'replay-output' }
  /** Another leg takes its place, for these workers; the client hears that this one is over. */
  | { readonly kind: 'replace'; readonly candidates: readonly string[] }
  /** The request goes on, or is over as well. */
  | { readonly kind: 'continue-request' };
