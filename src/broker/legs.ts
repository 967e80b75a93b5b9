/** The life of a leg, as `request.ts` draws it: every arrow of that picture is a method here. */
import { encodeToClient, encodeToWorker } from '../bus/codec/encode.ts';
import { boundedReason } from '../bus/codec/fields.ts';
import type { Ending, ForWorker } from '../bus/messages.ts';
import { targetOf } from '../domain/target.ts';
import type { Announcements } from './announcements.ts';
import { type BrokerOptions, livenessHeartbeats, maxHops } from './options.ts';
import type { Queues } from './queues.ts';
import { endingOf, isForEach, type Leg, type LegState, nameOf, type Request, waiting } from './request.ts';
import { type Sessions, targetsOf, type WorkerSession } from './sessions.ts';
import type { Takers } from './takers.ts';

export interface LegsOptions extends Pick<BrokerOptions, 'clock' | 'limits' | 'wire' | 'proofs'> {
  readonly sessions: Sessions;
  readonly takers: Takers;
  readonly queues: Queues;
  readonly announcements: Announcements;
  /** A leg is over: what follows is the algorithm's matter. */
  readonly onOver: (leg: Leg) => void;
}

type Told = Omit<Extract<LegState, { at: 'over' }>, 'at' | 'ending'>;
const untold: Told = { node: null, job: null, tail: { text: '' }, output: null };

export class Legs {
  readonly #options: LegsOptions;
  readonly #livenessMs: number;
  /** Legs whose next step is a matter of time: asked or absent. */
  readonly #doubtful = new Set<Leg>();
  readonly #startedAt: number;
  #count = 0;
  #isStopping = false;

  constructor(options: LegsOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#livenessMs = options.limits.heartbeatMs * livenessHeartbeats;
  }

  /** A new part of a request, for whichever of the candidates is free first. */
  begin(request: Request, target: string, candidates: readonly string[], mayHaveRun = request.head.resume): void {
    const leg: Leg = {
      request,
      target,
      candidates,
      number: this.#count++,
      state: waiting,
      worker: null,
      isNews: false,
      received: 0,
      forwarded: 0,
      acked: 0,
    };
    request.legs.push(leg);
    if (mayHaveRun) this.#askWhoMayHaveIt(leg);
    else this.#wait(leg, false);
  }

  /** Gives this worker as much of what waits as it has slots for. */
  serve(session: WorkerSession): void {
    const { queues } = this.#options;
    while (session.free > 0 && session.state === 'present' && !this.#isStopping) {
      const leg = queues.oldestFor(session);
      if (leg === undefined) return;
      this.#send(leg, session);
    }
  }

  /** waiting → sent. */
  #send(leg: Leg, session: WorkerSession): void {
    const { wire, queues, clock } = this.#options;
    const { request } = leg;
    queues.remove(leg);
    leg.state = { at: 'sent', session };
    leg.worker = session.claim.identity;
    leg.received = 0;
    leg.forwarded = 0;
    leg.acked = 0;
    session.free--;
    session.sent++;
    session.legs.set(request.id, leg);
    const { id, plugin, args, chain, ttl } = request.head;
    const head = encodeToWorker({
      op: 'request',
      id,
      user: request.user,
      team: request.team,
      service: request.service.name,
      plugin,
      args,
      timeout_ms: Math.max(1, Math.ceil(request.deadlineAt - clock.now())),
      chain,
      ttl: Math.min(ttl, maxHops),
      ...this.#whoAsks(request, session),
    });
    wire.send(session.peer, head, request.payload);
    this.#tellDispatched(leg);
  }

  /** A worker that does not know proofs is not sent one, and where nobody will ask with it none is made. */
  #whoAsks(request: Request, { claim, noProof }: WorkerSession): ForWorker {
    const { proofs, clock } = this.#options;
    const { id, asker, behalf, head, deadlineAt } = request;
    const others = behalf?.askers ?? [];
    const who = others.length === 0 ? {} : { behalf: others.map(nameOf) };
    if (proofs === undefined || asker === null || noProof === undefined || noProof.has(head.plugin)) return who;
    const proof = proofs.prove({
      id,
      worker: targetOf(claim.team, claim.identity),
      askers: [...others, asker],
      depth: behalf?.depth ?? 0,
      endsAt: Math.ceil(clock.date() + deadlineAt - clock.now()),
    });
    return proof === undefined ? who : { ...who, proof };
  }

  #tellDispatched(leg: Leg): void {
    leg.isNews = true;
    this.#options.announcements.soon(leg.request);
  }

  /** … → waiting, and on to a worker that is free. */
  #wait(leg: Leg, again: boolean): void {
    const { takers, queues } = this.#options;
    const { request, target, candidates } = leg;
    const { team } = request.service;
    leg.state = waiting;
    leg.worker = null;
    if (request.cancelled !== null) {
      this.end(leg, endingOf('killed', request.cancelled));
      return;
    }
    if (request.deadlineAt <= this.#options.clock.now()) {
      this.end(leg, tooLate);
      return;
    }
    const hasTaker = takers.isThere(team, target, candidates) || takers.isServed(target);
    if (this.#isStopping || !hasTaker) {
      this.end(leg, this.#isStopping ? stopping : nobody);
      return;
    }
    queues.add(leg, again);
    const free = takers.nextFree(team, target, candidates);
    if (free !== undefined) this.#send(leg, free);
  }

  /** The worker had no slot: it has not started it. */
  returned(session: WorkerSession, leg: Leg): void {
    session.legs.delete(leg.request.id);
    this.#wait(leg, true);
  }

  /**
   * A request that was asked of another broker before: nothing of it may run a second time. The one worker that can have
   * it is waited for. Of several those that are here are asked; but a broker that has just begun waits for all of them,
   * because they may be on their way back to it.
   */
  #askWhoMayHaveIt(leg: Leg): void {
    const { head } = leg.request;
    const suspects = head.worker !== null && leg.candidates.includes(head.worker) ? [head.worker] : leg.candidates;
    const now = this.#options.clock.now();
    const until = this.#livenessMs + (suspects.length === 1 ? now : this.#startedAt);
    const isComplete = this.#present(leg, suspects).length === suspects.length;
    if (isComplete || until <= now) this.#askThoseHere(leg, suspects);
    else {
      leg.state = { at: 'absent', suspects, until };
      this.#doubtful.add(leg);
    }
  }

  /** Also those that are away: they are asked when they are back, and until then nobody knows that it has not begun. */
  #present({ request }: Leg, identities: readonly string[]): WorkerSession[] {
    const { sessions } = this.#options;
    return identities.flatMap((identity) => sessions.worker(request.service.team, identity) ?? []);
  }

  /** absent → asked, or on without an answer. */
  #askThoseHere(leg: Leg, suspects: readonly string[]): void {
    const [only] = suspects;
    const present = this.#present(leg, suspects);
    this.#doubtful.delete(leg);
    if (present.length > 0) this.#ask(leg, present);
    else if (suspects.length === 1 && only !== undefined && leg.request.retry !== 'always') {
      leg.worker = only;
      this.end(leg, this.#lost(leg));
    } else this.#wait(leg, false);
  }

  /** … → asked. */
  #ask(leg: Leg, whom: readonly WorkerSession[]): void {
    const { clock } = this.#options;
    leg.state = { at: 'asked', open: new Set(whom), until: clock.now() + this.#livenessMs, isDoubtful: false };
    this.#doubtful.add(leg);
    for (const session of whom) this.#query(leg, session);
  }

  /** asked → sent, or one suspect less. */
  answered(session: WorkerSession, leg: Leg, isKnown: boolean): void {
    const { state, request } = leg;
    if (state.at !== 'asked' || !state.open.delete(session)) return;
    if (!isKnown) {
      session.legs.delete(request.id);
      this.#settle(leg, state);
      return;
    }
    for (const other of state.open) other.legs.delete(request.id);
    this.#doubtful.delete(leg);
    const isNews = leg.worker !== session.claim.identity;
    leg.state = { at: 'sent', session };
    leg.worker = session.claim.identity;
    leg.received = 0;
    leg.acked = 0;
    if (isNews) this.#tellDispatched(leg);
    if (request.cancelled !== null) this.#tellCancelled(session, leg);
  }

  /** asked → waiting or over, once nobody is left to ask. */
  #settle(leg: Leg, state: Extract<LegState, { at: 'asked' }>): void {
    if (state.open.size > 0) return;
    this.#doubtful.delete(leg);
    if (state.isDoubtful && leg.request.retry !== 'always') this.end(leg, this.#lost(leg));
    else this.#wait(leg, true);
  }

  /** The client is another one now: it has seen nothing of the output. */
  replay(leg: Leg): void {
    const { state } = leg;
    leg.forwarded = 0;
    this.#tellDispatched(leg);
    if (state.at === 'sent') this.#ask(leg, [state.session]);
  }

  /** This worker is gone for good. */
  workerLost(session: WorkerSession): void {
    for (const leg of [...session.legs.values()]) {
      session.legs.delete(leg.request.id);
      const { state } = leg;
      if (state.at === 'asked' && state.open.delete(session)) {
        state.isDoubtful = true;
        this.#settle(leg, state);
      } else if (state.at === 'sent' && state.session === session) this.#afterLoss(leg);
    }
    this.refuseUnservedOf(session);
  }

  #afterLoss(leg: Leg): void {
    const { request, target } = leg;
    const others = leg.candidates.filter((identity) => identity !== leg.worker);
    const hasOther = this.#options.takers.isThere(request.service.team, target, others);
    const goesOn = request.retry === 'always' && request.cancelled === null && hasOther;
    this.end(leg, this.#lost(leg), untold, goesOn);
    if (goesOn) this.begin(request, target, others, false);
  }

  #lost({ worker, received }: Leg): Ending {
    return endingOf('lost', `${worker ?? 'a worker'} was lost; it may have run there`, 'worker-lost', received);
  }

  /** Ends what waits for a target that no worker serves any more. */
  refuseUnserved(target: string): void {
    const { takers, queues } = this.#options;
    if (queues.length(target) === 0 || takers.isServed(target)) return;
    for (const leg of queues.of(target)) this.end(leg, nobody);
  }

  /** The same for all that this worker has served, or might have. */
  refuseUnservedOf(session: WorkerSession): void {
    for (const target of targetsOf(session)) this.refuseUnserved(target);
  }

  /** The same process on a new connection: what it had is asked for, from the first byte. */
  workerBack(before: WorkerSession, now: WorkerSession): void {
    for (const leg of before.legs.values()) {
      if (leg.state.at === 'asked') {
        leg.state.open.delete(before);
        leg.state.open.add(now);
        this.#query(leg, now);
      } else if (leg.state.at === 'sent') this.#ask(leg, [now]);
    }
    before.legs.clear();
  }

  #query(leg: Leg, session: WorkerSession): void {
    const { id, user, team } = leg.request;
    session.legs.set(id, leg);
    this.#options.wire.send(session.peer, encodeToWorker({ op: 'query', id, user, team }));
  }

  /** A worker has come: what waited for it is asked of it, once all are there that may have it. */
  workerCame({ claim }: WorkerSession): void {
    for (const leg of this.#doubtful) {
      if (leg.state.at !== 'absent' || leg.request.service.team !== claim.team) continue;
      const { suspects } = leg.state;
      if (suspects.includes(claim.identity) && this.#present(leg, suspects).length === suspects.length)
        this.#askThoseHere(leg, suspects);
    }
  }

  /** Nothing that has not started starts here any more. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Stops it, wherever it is. Where that is not clear yet, it is stopped as soon as it is. */
  cancel(leg: Leg, reason: string): void {
    const { state } = leg;
    if (state.at === 'sent') this.#tellCancelled(state.session, leg);
    else if (state.at === 'waiting') this.end(leg, endingOf('killed', reason));
  }

  #tellCancelled(session: WorkerSession, { request }: Leg): void {
    const reason = boundedReason(request.cancelled ?? '');
    this.#options.wire.send(session.peer, encodeToWorker({ op: 'cancel', id: request.id, reason }));
  }

  /** … → over. `isGoingOn`: another leg takes its place, so that the algorithm is not asked. */
  end(leg: Leg, ending: Ending, told: Told = untold, isGoingOn = false): void {
    const { state, request } = leg;
    if (state.at === 'over') return;
    this.#options.queues.remove(leg);
    this.#doubtful.delete(leg);
    if (state.at === 'sent') state.session.legs.delete(request.id);
    if (state.at === 'asked') for (const session of state.open) session.legs.delete(request.id);
    leg.state = { at: 'over', ending, ...told };
    // Of a serial or mirrored request each worker has its part, also one that was not there.
    if (isForEach(request)) leg.worker ??= leg.candidates[0] ?? null;
    // Otherwise the last leg's end is the request's.
    if (isForEach(request) || isGoingOn) this.#tellEnded(leg, ending);
    if (!isGoingOn) this.#options.onOver(leg);
  }

  #tellEnded({ request, worker }: Leg, ending: Ending): void {
    const { announcements, wire } = this.#options;
    announcements.now(request);
    if (request.client !== null && worker !== null)
      wire.send(request.client, encodeToClient({ op: 'leg', id: request.id, worker, ...ending }));
  }

  /** Nobody has answered in time. */
  tick(now: number): void {
    for (const leg of this.#doubtful) {
      const { state } = leg;
      if (state.at === 'asked' && state.until <= now) {
        for (const session of state.open) session.legs.delete(leg.request.id);
        state.open.clear();
        state.isDoubtful = true;
        this.#settle(leg, state);
      } else if (state.at === 'absent' && state.until <= now) this.#askThoseHere(leg, state.suspects);
    }
  }
}

const nobody = endingOf('lost', 'no worker is connected', 'no-worker');
/** Told to nobody: clients have been sent to another broker. */
export const stopping = endingOf('lost', 'this broker stops', 'draining');
const tooLate = endingOf('timed-out', 'no worker had a slot for it in time');
