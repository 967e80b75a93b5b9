import { encodeToWorker } from '../bus/codec/encode.ts';
import { protocolVersion, type WorkerMessage } from '../bus/messages.ts';
import type { PeerId } from '../bus/ports.ts';
import type { WorkerProof } from '../domain/caller.ts';
import { asTriggerdError, TriggerdError } from '../domain/errors.ts';
import type { LimitedLog } from '../kit/limited-log.ts';
import type { Legs } from './legs.ts';
import type { BrokerOptions } from './options.ts';
import { draining, refuseWorker, welcomeOf, wrongVersion } from './replies.ts';
import {
  guess,
  isConnected,
  isSameWorker,
  type NewcomerSession,
  newConduct,
  type Sessions,
  type WorkerSession,
} from './sessions.ts';
import { serveWhatIsAllowed } from './worker-services.ts';

export interface WorkerAdmissionOptions extends BrokerOptions {
  readonly sessions: Sessions;
  readonly legs: Legs;
  readonly isStopping: () => boolean;
  /** For log lines that any peer can cause. */
  readonly limitedLog: LimitedLog;
  /** Ends a session. */
  readonly end: (session: WorkerSession, reason: string) => void;
}

/** How long the present holder of an identity has to show a sign of life when another process claims it. ms. */
const holderAnswerMs = 500;

/**
 * Who gets in as which worker.
 *
 *     ready ► proving ── nobody else has the identity, or nobody connected ──► admitted
 *                │ │                                                             ▲
 *                │ └─ a connected process has it ► contending ─ it is gone ──────┘
 *      the token │                                     │
 *       is wrong ▼                                     │ it lives
 *             refused ◄────────────────────────────────┘
 *
 * Who is refused without a wrong token is forgotten at once. The same process on a new connection is no other one: it goes on
 * where its session was.
 */
export class WorkerAdmission {
  readonly #options: WorkerAdmissionOptions;

  constructor(options: WorkerAdmissionOptions) {
    this.#options = options;
  }

  /** `body`: the token. */
  ready(peer: PeerId, { v, op: _, ...claim }: Extract<WorkerMessage, { op: 'ready' }>, body: Buffer): void {
    const { sessions, clock, limits, accounts } = this.#options;
    if (v !== protocolVersion) {
      refuseWorker(this.#options, peer, wrongVersion(v));
      return;
    }
    if (this.#options.isStopping()) {
      refuseWorker(this.#options, peer, draining());
      return;
    }
    const now = clock.now();
    const { faults = 0, conduct = newConduct() } = sessions.of(peer) ?? {};
    const newcomer: NewcomerSession = {
      kind: 'newcomer',
      peer,
      heardAt: now,
      beatAt: now + limits.heartbeatMs,
      faults,
      conduct,
      claim,
      state: { kind: 'proving' },
    };
    sessions.add(newcomer);
    const { team, identity } = claim;
    guess(conduct, clock, 'worker-refused', () => accounts.checkWorker({ team, identity, token: body.toString() }))
      .then((proof) => this.#proved(newcomer, proof))
      .catch((error: unknown) => this.#turnAway(newcomer, error));
  }

  /** The connection of this worker is lost: admits another process that claims its identity. */
  holderGone({ claim }: WorkerSession): void {
    for (const other of this.#options.sessions.all())
      if (other.kind === 'newcomer' && other.state.kind === 'contending' && isSameWorker(other.claim, claim))
        this.#proved(other, other.state.proof);
  }

  tick(now: number): void {
    for (const session of [...this.#options.sessions.all()])
      if (session.kind === 'newcomer' && session.state.kind === 'contending' && session.state.until <= now)
        this.#turnAway(session, new TriggerdError('worker-refused', 'another process is connected as this worker'));
  }

  #proved(newcomer: NewcomerSession, proof: WorkerProof): void {
    const { sessions, clock, wire, limits, accounts } = this.#options;
    if (sessions.of(newcomer.peer) !== newcomer) return;
    const { team, identity, instance } = newcomer.claim;
    // Registry changes are applied to admitted workers only; this token may have changed while the worker waited.
    if (!accounts.isWorkerCurrent(team, identity, proof)) {
      this.#turnAway(newcomer, new TriggerdError('worker-refused', 'its token is no longer valid'));
      return;
    }
    const holder = sessions.worker(team, identity);
    if (holder === undefined || holder.claim.instance === instance) {
      this.#admit(newcomer, proof, holder);
      return;
    }
    if (!isConnected(holder)) {
      this.#options.end(holder, 'another process has taken its place');
      this.#admit(newcomer, proof, undefined);
      return;
    }
    // Sending to a lost connection shows that it is lost.
    newcomer.state = { kind: 'contending', until: clock.now() + Math.min(holderAnswerMs, limits.heartbeatMs), proof };
    wire.send(holder.peer, encodeToWorker({ op: 'heartbeat' }));
  }

  #turnAway(newcomer: NewcomerSession, error: unknown): void {
    const { sessions, limitedLog } = this.#options;
    if (sessions.of(newcomer.peer) !== newcomer) return;
    // The guesses of a connection are remembered as long as it exists.
    if (newcomer.conduct.guesses.count > 0) newcomer.state = { kind: 'refused' };
    else sessions.remove(newcomer);
    const { team, identity, node } = newcomer.claim;
    const fields = { team, worker: identity, node, error: asTriggerdError(error) };
    limitedLog.warn(`worker ${newcomer.peer}`, fields, 'A worker was refused.');
    refuseWorker(this.#options, newcomer.peer, error);
  }

  #admit(
    { peer, claim, heardAt, beatAt, faults, conduct }: NewcomerSession,
    proof: WorkerProof,
    before: WorkerSession | undefined,
  ): void {
    const { sessions, registry, legs, wire, presence, observer } = this.#options;
    const { team, identity, node, version } = claim;
    const attached = registry.servicesOf(team, identity) ?? [];
    const session: WorkerSession = {
      kind: 'worker',
      peer,
      heardAt,
      beatAt,
      faults,
      conduct,
      claim,
      proof,
      state: 'present',
      free: claim.free,
      sent: 0,
      announced: before?.announced ?? new Set(),
      noProof: before?.noProof,
      unanswered: 1,
      attached,
      serves: new Set(),
      legs: new Map(),
    };
    if (before !== undefined) this.#replace(before, peer);
    sessions.add(session);
    serveWhatIsAllowed(session);
    wire.send(peer, encodeToWorker({ ...welcomeOf(this.#options), services: attached }));
    if (before !== undefined) legs.workerBack(before, session);
    else {
      presence.online({ team, identity, node, version });
      observer.workerOnline({ team, identity, node });
    }
    legs.workerCame(session);
    legs.serve(session);
  }

  #replace(before: WorkerSession, peer: PeerId): void {
    const { sessions, wire } = this.#options;
    before.state = 'ended';
    sessions.remove(before);
    if (before.peer !== peer) wire.forget(before.peer);
  }
}
