/** All legs: each event goes through the leg machine, and the lists of legs follow from their states. */
import type { WireOutcome } from '../bus/messages.ts';
import type { LegEvent } from './leg-events.ts';
import { type LegRules, stepLeg } from './leg-machine.ts';
import { type LegState, newLeg, type WorkerReport } from './leg-state.ts';
import { type BrokerOptions, livenessHeartbeats } from './options.ts';
import { LegEffects, type LegEffectsOptions } from './perform-leg-effects.ts';
import type { Leg, Request } from './request.ts';
import { targetsOf, type WorkerSession } from './sessions.ts';

export interface LegsOptions
  extends Omit<LegEffectsOptions, 'isStopping' | 'raise' | 'replace'>,
    Pick<BrokerOptions, 'limits'> {}

export class Legs {
  readonly #options: LegsOptions;
  readonly #rules: LegRules;
  readonly #effects: LegEffects;
  /** Legs whose next step is a matter of time: asked or absent. */
  readonly #timed = new Set<Leg>();
  #count = 0;
  #isStopping = false;

  constructor(options: LegsOptions) {
    this.#options = options;
    const { clock, limits } = options;
    this.#rules = { livenessMs: limits.heartbeatMs * livenessHeartbeats, startedAt: clock.now() };
    this.#effects = new LegEffects({
      ...options,
      isStopping: () => this.#isStopping,
      raise: (leg, event) => this.#step(leg, event),
      replace: ({ request, target }, candidates) => this.begin(request, target, candidates, false),
    });
  }

  /** A new part of a request, for whichever of the candidates is free first. */
  begin(request: Request, target: string, candidates: readonly string[], mayHaveRun = request.head.resume): void {
    const leg: Leg = {
      request,
      target,
      candidates,
      number: this.#count++,
      state: newLeg,
      isNews: false,
      received: 0,
      forwarded: 0,
      acked: 0,
    };
    request.legs.push(leg);
    this.#step(leg, mayHaveRun ? { kind: 'resume', now: this.#options.clock.now() } : begins);
  }

  /** Gives waiting legs to this worker until its slots are taken. */
  serve(session: WorkerSession): void {
    const { queues } = this.#options;
    while (session.free > 0 && session.state === 'present' && !this.#isStopping) {
      const leg = queues.oldestFor(session);
      if (leg === undefined) return;
      this.#step(leg, { kind: 'given', worker: session.claim.identity });
    }
  }

  /** The worker had no slot, so the leg has not started. */
  returned(leg: Leg): void {
    this.#step(leg, isReturned);
  }

  answered({ claim: { identity: worker } }: WorkerSession, leg: Leg, isKnown: boolean): void {
    this.#step(leg, { kind: 'answered', worker, isKnown });
  }

  /** The worker has sent the `final` of the leg. */
  finished(leg: Leg, outcome: WireOutcome, report: WorkerReport): void {
    this.#step(leg, { kind: 'finished', outcome, report });
  }

  /** Another client has taken over the request, and has seen none of the output. */
  replay(leg: Leg): void {
    this.#step(leg, { kind: 'replayed', now: this.#options.clock.now() });
  }

  /** Stops the leg; where no worker is known yet to have it, as soon as one is. */
  cancel(leg: Leg, reason: string): void {
    this.#step(leg, { kind: 'cancelled', reason });
  }

  /** The deadline of its request has passed. */
  deadline(leg: Leg, now: number): void {
    this.#step(leg, { kind: 'deadline', now });
  }

  /** From now on no waiting leg starts here. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Ends the leg without telling the client, unless a worker has it. */
  forget(leg: Leg): void {
    this.#step(leg, { kind: 'broker-stops' });
  }

  /** This worker has no session any more, and will not come back. */
  workerLost(session: WorkerSession): void {
    const { identity: worker } = session.claim;
    for (const leg of takenFrom(session)) {
      const hasOther = leg.request.retry === 'always' && this.#hasOther(leg, worker);
      this.#step(leg, { kind: 'worker-lost', worker, hasOther });
    }
    this.refuseUnservedOf(session);
  }

  #hasOther({ request, target, candidates }: Leg, worker: string): boolean {
    const others = candidates.filter((identity) => identity !== worker);
    return this.#options.workerSelection.hasCandidate(request.service.team, target, others);
  }

  /** The same process has a new connection: queries each leg that it had, whose output then begins at the first byte. */
  workerBack(before: WorkerSession, session: WorkerSession): void {
    const event = { kind: 'worker-back', worker: session.claim.identity, now: this.#options.clock.now() } as const;
    for (const leg of takenFrom(before)) {
      session.legs.set(leg.request.id, leg);
      this.#step(leg, event);
    }
  }

  /** A worker has connected: legs that waited for it are queried once all workers that may have them are there. */
  workerCame({ claim: { team, identity: worker } }: WorkerSession): void {
    if (this.#timed.size === 0) return;
    const event = { kind: 'worker-came', worker } as const;
    for (const leg of this.#timed) if (leg.request.service.team === team) this.#step(leg, event);
  }

  /** Ends the legs that wait for a target which no worker serves any more. */
  refuseUnserved(target: string): void {
    const { workerSelection, queues } = this.#options;
    if (queues.length(target) === 0 || workerSelection.isServed(target)) return;
    for (const leg of queues.of(target)) this.#step(leg, isUnserved);
  }

  /** Refuses legs of all targets that this worker has served, or might have. */
  refuseUnservedOf(session: WorkerSession): void {
    for (const target of targetsOf(session)) this.refuseUnserved(target);
  }

  tick(now: number): void {
    if (this.#timed.size === 0) return;
    const event = { kind: 'tick', now } as const;
    for (const leg of this.#timed) this.#step(leg, event);
  }

  #step(leg: Leg, event: LegEvent): void {
    const before = leg.state;
    const { state, effects } = stepLeg(leg, event, this.#rules);
    if (state !== before) {
      leg.state = state;
      this.#leave(leg, before, state);
      this.#enter(leg, state);
    }
    for (const effect of effects) this.#effects.perform(leg, effect);
  }

  #leave(leg: Leg, state: LegState, next: LegState): void {
    switch (state.kind) {
      case 'waiting':
        this.#options.queues.remove(leg);
        return;
      case 'absent':
        this.#timed.delete(leg);
        return;
      case 'asked':
        if (next.kind !== 'asked') this.#timed.delete(leg);
        for (const worker of state.open) if (!concerns(next, worker)) this.#legsOf(leg, worker)?.delete(leg.request.id);
        return;
      case 'sent':
        if (!concerns(next, state.worker)) this.#legsOf(leg, state.worker)?.delete(leg.request.id);
    }
  }

  #enter(leg: Leg, state: LegState): void {
    switch (state.kind) {
      case 'absent':
        this.#timed.add(leg);
        return;
      case 'asked':
        this.#timed.add(leg);
        for (const worker of state.open) this.#legsOf(leg, worker)?.set(leg.request.id, leg);
        return;
      case 'sent':
        this.#legsOf(leg, state.worker)?.set(leg.request.id, leg);
    }
  }

  #legsOf({ request }: Leg, worker: string): WorkerSession['legs'] | undefined {
    return this.#options.sessions.worker(request.service.team, worker)?.legs;
  }
}

/** Whether this worker has the leg, or is asked about it. */
const concerns = (state: LegState, worker: string): boolean =>
  state.kind === 'sent' ? state.worker === worker : state.kind === 'asked' && state.open.includes(worker);

/** Takes all legs out of this session. */
const takenFrom = ({ legs }: WorkerSession): Leg[] => {
  const taken = [...legs.values()];
  legs.clear();
  return taken;
};

const begins: LegEvent = { kind: 'begin' };
const isReturned: LegEvent = { kind: 'returned' };
const isUnserved: LegEvent = { kind: 'unserved' };
