/**
 * The life of a leg, one worker's part of a request, as a function: `stepLeg` takes a leg and an event, and gives the next
 * state and the effects. It reads no clock and holds no queue and no socket: time, and what the sessions know, come in the
 * event. `perform-leg-effects.ts` performs the effects; some of them answer with the next event.
 *
 *                       returned                        new       begins in this moment
 *              ┌───────────────────────┐                absent    a worker that may have it is not connected yet
 *              ▼                       │                asked     workers were asked whether they ever started it
 *     new ► waiting ──── given ─────► sent ─► over      waiting   in a queue, for a worker with a free slot
 *      │       ▲                      ▲ │               sent      a worker has it; it counts as started
 *      │       │ none has it    known │ │ asked again   over      for ever
 *      ▼       │                      │ ▼
 *     absent ──┴───────────────────► asked              Each state but `new` has a way to `over`, too.
 *
 * The table of all arrows is in docs/reference/bus.md; spec/unit/broker/leg-machine.test.ts compares it with this file.
 */
import type { WireOutcome } from '../bus/messages.ts';
import type { Retry } from '../domain/service.ts';
import type { Availability, LegEffect, LegEvent } from './leg-events.ts';
import type { Absent, Asked, LegState, Over, Waiting, WorkerReport } from './leg-state.ts';
import { deadlineGraceMs } from './options.ts';
import { brokerStops, killed, noWorker, tooLate, unreported, workerLost } from './outcomes.ts';

/** What the machine reads of a leg. It changes none of it. */
export interface LegFacts {
  readonly state: LegState;
  /** Identities of the workers that may have it, in order. */
  readonly candidates: readonly string[];
  /** Bytes of its output that have come. */
  readonly received: number;
  readonly request: {
    readonly retry: Retry;
    readonly deadlineAt: number;
    /** Why; null: it is not cancelled. */
    readonly cancelled: string | null;
    /** The worker that the client of a resumed request has heard of. */
    readonly head: { readonly worker: string | null };
  };
}

export interface LegRules {
  /** How long a silent peer is waited for. */
  readonly livenessMs: number;
  /** When the broker started: for some time after that, workers may be reconnecting to it. */
  readonly startedAt: number;
}

export interface LegStep {
  readonly state: LegState;
  /** Effects, in the order in which they are performed. */
  readonly effects: readonly LegEffect[];
}

/** An event that means nothing to a state gives the same state, and no effects. */
export const stepLeg = (leg: LegFacts, event: LegEvent, rules: LegRules): LegStep => {
  const { state } = leg;
  switch (state.kind) {
    case 'new':
      return fromNew(leg, event, rules);
    case 'absent':
      return fromAbsent(leg, state, event, rules);
    case 'asked':
      return fromAsked(leg, state, event);
    case 'waiting':
      return fromWaiting(leg, state, event);
    case 'sent':
      return fromSent(leg, state.worker, event, rules);
    case 'over':
      return stays(state);
  }
};

const fromNew = (leg: LegFacts, event: LegEvent, rules: LegRules): LegStep => {
  if (event.kind === 'begin') return waits;
  if (event.kind !== 'resume') return stays(leg.state);
  const suspects = suspectsOf(leg);
  // A broker that has just begun waits for all of several suspects: they may be on their way back to it.
  const until = rules.livenessMs + (suspects.length === 1 ? event.now : rules.startedAt);
  return { state: { kind: 'absent', suspects, until }, effects: [{ kind: 'find-suspects', suspects }] };
};

/** The one worker that the client has heard of, else each of the candidates. */
const suspectsOf = ({ request: { head }, candidates }: LegFacts): readonly string[] =>
  head.worker !== null && candidates.includes(head.worker) ? [head.worker] : candidates;

const fromAbsent = (leg: LegFacts, state: Absent, event: LegEvent, rules: LegRules): LegStep => {
  switch (event.kind) {
    case 'suspects-found':
      return suspectsFound(leg, state, event.present, event.now, rules);
    case 'worker-came':
      return state.suspects.includes(event.worker) ? looksAgain(state) : stays(state);
    case 'tick':
      return state.until <= event.now ? looksAgain(state) : stays(state);
    case 'deadline':
      return ends(null, tooLate);
    case 'broker-stops':
      return isForgotten;
    default:
      return stays(state);
  }
};

const looksAgain = (state: Absent): LegStep => ({
  state,
  effects: [{ kind: 'find-suspects', suspects: state.suspects }],
});

const suspectsFound = (
  { request }: LegFacts,
  state: Absent,
  present: readonly string[],
  now: number,
  rules: LegRules,
): LegStep => {
  const { suspects, until } = state;
  if (present.length < suspects.length && until > now) return stays(state);
  if (present.length > 0) return asks(null, present, now, rules);
  const [only] = suspects;
  return only !== undefined && suspects.length === 1 && request.retry !== 'always'
    ? ends(only, workerLost(only, 0))
    : waits;
};

const asks = (worker: string | null, workers: readonly string[], now: number, rules: LegRules): LegStep => ({
  state: { kind: 'asked', worker, open: workers, until: now + rules.livenessMs, isDoubtful: false },
  effects: [{ kind: 'query', workers }],
});

const fromAsked = (leg: LegFacts, state: Asked, event: LegEvent): LegStep => {
  switch (event.kind) {
    case 'answered':
      if (!state.open.includes(event.worker)) return stays(state);
      return event.isKnown ? isKnown(leg, state, event.worker) : oneLess(leg, state, event.worker, state.isDoubtful);
    case 'worker-lost':
      return state.open.includes(event.worker) ? oneLess(leg, state, event.worker, true) : stays(state);
    case 'worker-back':
      return state.open.includes(event.worker)
        ? { state, effects: [{ kind: 'query', workers: [event.worker] }] }
        : stays(state);
    case 'replayed':
      return { state, effects: [replayOutput, announce] };
    case 'tick':
      return state.until <= event.now ? nobodyHasIt(leg, state.worker, true) : stays(state);
    case 'deadline':
      return ends(state.worker, tooLate);
    case 'broker-stops':
      return isForgotten;
    default:
      return stays(state);
  }
};

const isKnown = ({ request: { cancelled } }: LegFacts, before: Asked, worker: string): LegStep => {
  const effects: LegEffect[] = [restartOutput];
  if (before.worker !== worker) effects.push(announce);
  if (cancelled !== null) effects.push({ kind: 'tell-cancelled', worker, reason: cancelled });
  return { state: { kind: 'sent', worker }, effects };
};

const oneLess = (leg: LegFacts, state: Asked, worker: string, isDoubtful: boolean): LegStep => {
  const open = state.open.filter((other) => other !== worker);
  return open.length > 0
    ? { state: { ...state, open, isDoubtful }, effects: none }
    : nobodyHasIt(leg, state.worker, isDoubtful);
};

const nobodyHasIt = ({ request, received }: LegFacts, worker: string | null, isDoubtful: boolean): LegStep =>
  isDoubtful && request.retry !== 'always' ? ends(worker, workerLost(worker, received)) : waitsAgain;

const fromWaiting = (leg: LegFacts, state: Waiting, event: LegEvent): LegStep => {
  switch (event.kind) {
    case 'workers-checked':
      return workersChecked(leg, state, event.availability, event.now);
    case 'given':
      return {
        state: { kind: 'sent', worker: event.worker },
        effects: [{ kind: 'send', worker: event.worker }, announce],
      };
    case 'unserved':
      return ends(null, noWorker);
    case 'cancelled':
      return ends(null, killed(event.reason));
    case 'deadline':
      return ends(null, tooLate);
    case 'broker-stops':
      return isForgotten;
    default:
      return stays(state);
  }
};

const workersChecked = ({ request }: LegFacts, state: Waiting, availability: Availability, now: number): LegStep => {
  if (request.cancelled !== null) return ends(null, killed(request.cancelled));
  if (request.deadlineAt <= now) return ends(null, tooLate);
  if (availability === 'unserved') return ends(null, noWorker);
  if (availability === 'broker-stops') return ends(null, brokerStops);
  return { state, effects: state.isAgain ? placedAgain : placed };
};

const fromSent = (leg: LegFacts, worker: string, event: LegEvent, rules: LegRules): LegStep => {
  const { state, request } = leg;
  switch (event.kind) {
    case 'finished':
      return ends(worker, event.outcome, event.report);
    case 'returned':
      return leg.received === 0 ? waitsAgain : stays(state);
    case 'worker-lost':
      return event.worker === worker ? isLost(leg, worker, event.hasOther) : stays(state);
    case 'worker-back':
      return event.worker === worker ? asks(worker, [worker], event.now, rules) : stays(state);
    case 'replayed': {
      const asked = asks(worker, [worker], event.now, rules);
      return { state: asked.state, effects: [replayOutput, announce, ...asked.effects] };
    }
    case 'cancelled':
      return { state, effects: [{ kind: 'tell-cancelled', worker, reason: event.reason }] };
    case 'deadline':
      return request.deadlineAt + deadlineGraceMs <= event.now ? ends(worker, unreported) : stays(state);
    default:
      return stays(state);
  }
};

const isLost = ({ request, received, candidates }: LegFacts, worker: string, hasOther: boolean): LegStep => {
  const outcome = workerLost(worker, received);
  if (request.retry !== 'always' || request.cancelled !== null || !hasOther) return ends(worker, outcome);
  const others = candidates.filter((identity) => identity !== worker);
  return { state: over(worker, outcome, noReport), effects: [{ kind: 'replace', candidates: others }] };
};

const over = (worker: string | null, outcome: WireOutcome, report: WorkerReport): Over => ({
  kind: 'over',
  worker,
  outcome,
  report,
});

const ends = (worker: string | null, outcome: WireOutcome, report: WorkerReport = noReport): LegStep => ({
  state: over(worker, outcome, report),
  effects: requestContinues,
});

const stays = (state: LegState): LegStep => ({ state, effects: none });

// Steps without data are made once, because every request takes them.
const none: readonly LegEffect[] = [];
const noReport: WorkerReport = { node: null, job: null, tail: { text: '' }, output: null };
const announce: LegEffect = { kind: 'announce' };
const restartOutput: LegEffect = { kind: 'restart-output' };
const replayOutput: LegEffect = { kind: 'replay-output' };
const requestContinues: readonly LegEffect[] = [{ kind: 'continue-request' }];
const placed: readonly LegEffect[] = [{ kind: 'dispatch', isAgain: false }];
const placedAgain: readonly LegEffect[] = [{ kind: 'dispatch', isAgain: true }];
const waits: LegStep = { state: { kind: 'waiting', isAgain: false }, effects: [{ kind: 'check-workers' }] };
const waitsAgain: LegStep = { state: { kind: 'waiting', isAgain: true }, effects: [{ kind: 'check-workers' }] };
/** A leg that had not started when the broker stopped: its client asks another broker. */
const isForgotten: LegStep = { state: over(null, brokerStops, noReport), effects: none };
