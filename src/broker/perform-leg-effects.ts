/** Performs the effects of the leg machine: the only file of it that holds the wire, the clock, the queues and the sessions. */
import { encodeToWorker } from '../bus/codec/encode.ts';
import { boundedReason } from '../bus/codec/fields.ts';
import type { ForWorker } from '../bus/messages.ts';
import { targetOf } from '../domain/target.ts';
import type { Announcements } from './announcements.ts';
import type { LegEffect, LegEvent } from './leg-events.ts';
import { type BrokerOptions, maxHops } from './options.ts';
import type { Queues } from './queues.ts';
import { type Leg, nameOf, type Request } from './request.ts';
import type { Sessions, WorkerSession } from './sessions.ts';
import type { WorkerSelection } from './worker-selection.ts';

export interface LegEffectsOptions extends Pick<BrokerOptions, 'clock' | 'wire' | 'proofs'> {
  readonly sessions: Sessions;
  readonly workerSelection: WorkerSelection;
  readonly queues: Queues;
  readonly announcements: Announcements;
  readonly isStopping: () => boolean;
  /** Raises the event that answers an effect. */
  readonly raise: (leg: Leg, event: LegEvent) => void;
  readonly replace: (leg: Leg, candidates: readonly string[]) => void;
  /** Called when a leg has ended: the algorithm decides what follows. */
  readonly onOver: (leg: Leg) => void;
}

type Performers = {
  readonly [Kind in LegEffect['kind']]: (leg: Leg, effect: Extract<LegEffect, { kind: Kind }>) => void;
};

export class LegEffects {
  readonly #options: LegEffectsOptions;
  readonly #performers: Performers = {
    'check-workers': (leg) => this.#checkWorkers(leg),
    dispatch: (leg, { isAgain }) => this.#dispatch(leg, isAgain),
    'find-suspects': (leg, { suspects }) => this.#findSuspects(leg, suspects),
    query: (leg, { workers }) => {
      for (const worker of workers) this.#query(leg, worker);
    },
    send: (leg, { worker }) => this.#send(leg, worker),
    'tell-cancelled': (leg, { worker, reason }) => this.#tellCancelled(leg, worker, reason),
    announce: (leg) => {
      leg.isNews = true;
      this.#options.announcements.soon(leg.request);
    },
    'restart-output': (leg) => {
      leg.received = 0;
      leg.acked = 0;
    },
    'replay-output': (leg) => {
      leg.forwarded = 0;
    },
    replace: (leg, { candidates }) => {
      this.#options.announcements.legOver(leg);
      this.#options.replace(leg, candidates);
    },
    'continue-request': (leg) => this.#options.onOver(leg),
  };

  constructor(options: LegEffectsOptions) {
    this.#options = options;
  }

  perform(leg: Leg, effect: LegEffect): void {
    const perform = this.#performers[effect.kind] as (leg: Leg, effect: LegEffect) => void;
    perform(leg, effect);
  }

  #checkWorkers(leg: Leg): void {
    const { workerSelection, isStopping, clock, raise } = this.#options;
    const { request, target, candidates } = leg;
    const isServed =
      workerSelection.hasCandidate(request.service.team, target, candidates) || workerSelection.isServed(target);
    const availability = isStopping() ? 'broker-stops' : isServed ? 'served' : 'unserved';
    raise(leg, { kind: 'workers-checked', availability, now: clock.now() });
  }

  #dispatch(leg: Leg, isAgain: boolean): void {
    const { workerSelection, queues, raise } = this.#options;
    const { request, target, candidates } = leg;
    const free = workerSelection.nextFree(request.service.team, target, candidates);
    if (free === undefined) queues.add(leg, isAgain);
    else raise(leg, { kind: 'given', worker: free.claim.identity });
  }

  /** Workers that are away count as present: they are queried when they are back, and until then the leg may have begun. */
  #findSuspects(leg: Leg, suspects: readonly string[]): void {
    const { clock, raise } = this.#options;
    const present = suspects.filter((identity) => this.#sessionOf(leg, identity) !== undefined);
    raise(leg, { kind: 'suspects-found', present, now: clock.now() });
  }

  #query(leg: Leg, worker: string): void {
    const session = this.#sessionOf(leg, worker);
    if (session === undefined) return;
    const { id, user, team } = leg.request;
    this.#options.wire.send(session.peer, encodeToWorker({ op: 'query', id, user, team }));
  }

  #send(leg: Leg, worker: string): void {
    const session = this.#sessionOf(leg, worker);
    if (session === undefined) return;
    const { wire, clock } = this.#options;
    const { request } = leg;
    leg.received = 0;
    leg.forwarded = 0;
    leg.acked = 0;
    session.free--;
    session.sent++;
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
  }

  /** A worker that does not know proofs is sent none; where no job can use a proof, none is made. */
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

  #tellCancelled(leg: Leg, worker: string, reason: string): void {
    const session = this.#sessionOf(leg, worker);
    if (session === undefined) return;
    const head = encodeToWorker({ op: 'cancel', id: leg.request.id, reason: boundedReason(reason) });
    this.#options.wire.send(session.peer, head);
  }

  #sessionOf({ request }: Leg, worker: string): WorkerSession | undefined {
    return this.#options.sessions.worker(request.service.team, worker);
  }
}
