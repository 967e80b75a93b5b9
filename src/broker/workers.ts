/** What workers say, one method per operation. */

import { encodeToWorker } from '../bus/codec/encode.ts';
import { historyTailBytes, type PartialHead, protocolVersion, type Room, type WorkerMessage } from '../bus/messages.ts';
import type { PeerId } from '../bus/ports.ts';
import type { WorkerProof } from '../domain/caller.ts';
import { asTriggerdError, TriggerdError } from '../domain/errors.ts';
import { assertMayGuess, guessed, noGuesses } from '../domain/guesses.ts';
import type { RequestId } from '../domain/request.ts';
import { targetOf } from '../domain/target.ts';
import type { LimitedLog } from '../kit/limited-log.ts';
import { lastBytesOf, tailOf } from '../kit/text-or-bytes.ts';
import type { Announcements } from './announcements.ts';
import type { Legs } from './legs.ts';
import type { BrokerOptions } from './options.ts';
import { goesWithEnd, passOn } from './output.ts';
import { draining, refusalOf, wrongVersion } from './refusal.ts';
import type { Leg } from './request.ts';
import {
  isConnected,
  type NewcomerSession,
  newConduct,
  type Sessions,
  targetsOf,
  type WorkerClaim,
  type WorkerSession,
} from './sessions.ts';
import { welcomeOf } from './welcome.ts';

export interface WorkersOptions extends BrokerOptions {
  readonly sessions: Sessions;
  readonly announcements: Announcements;
  readonly legs: Legs;
  readonly isStopping: () => boolean;
  /** For lines that any peer can cause. */
  readonly strangers: LimitedLog;
}

/** How long the present holder of an identity has to show a sign of life when another process claims it. ms. */
const knockMs = 500;

type Of<Op extends WorkerMessage['op']> = Extract<WorkerMessage, { op: Op }>;

export class Workers {
  readonly #options: WorkersOptions;

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  /** Body: the token. */
  ready(peer: PeerId, { v, op: _, ...claim }: Of<'ready'>, body: Buffer): void {
    const { sessions, clock, limits, accounts } = this.#options;
    if (v !== protocolVersion) {
      this.#refuse(peer, wrongVersion(v));
      return;
    }
    if (this.#options.isStopping()) {
      this.#refuse(peer, draining());
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
      state: { at: 'proving' },
    };
    sessions.add(newcomer);
    const { team, identity } = claim;
    this.#checked(newcomer, () => accounts.checkWorker({ team, identity, token: body.toString() }))
      .then((proof) => this.#proved(newcomer, proof))
      .catch((error: unknown) => this.#turnedAway(newcomer, error));
  }

  /** Throws `too-many-attempts` for a connection that has brought too many wrong tokens, before this one is looked at. */
  async #checked({ conduct }: NewcomerSession, check: () => Promise<WorkerProof>): Promise<WorkerProof> {
    const { clock } = this.#options;
    assertMayGuess(conduct.guesses, clock.now());
    try {
      const proof = await check();
      conduct.guesses = noGuesses;
      return proof;
    } catch (error) {
      if (asTriggerdError(error).code === 'worker-refused') conduct.guesses = guessed(conduct.guesses, clock.now());
      throw error;
    }
  }

  received(session: WorkerSession, message: WorkerMessage, body: Buffer): void {
    switch (message.op) {
      case 'ready':
        this.#readyAgain(session, message, body);
        return;
      case 'announce':
        this.#announce(session, message);
        return;
      case 'heartbeat':
      case 'credit':
        this.#credit(session, message);
        return;
      case 'partial':
        this.#partial(session, message, body);
        return;
      case 'final':
        this.#final(session, message, body);
        return;
      case 'returned':
        this.#returned(session, message);
        return;
      case 'known':
        this.#known(session, message);
        return;
      case 'leaving':
        this.#leaving(session);
        return;
      case 'disconnect':
        this.end(session, 'it has said goodbye');
        return;
    }
  }

  /**
   * The connection is gone. The process may come back with another one: until then its identity is taken. That nothing can
   * be sent any more shows before its last words are read: they still count.
   */
  disconnected(session: WorkerSession): void {
    const { sessions } = this.#options;
    session.state = session.state === 'present' || session.state === 'away' ? 'away' : 'left';
    session.free = 0;
    for (const other of sessions.all())
      if (other.kind === 'newcomer' && other.state.at === 'knocking' && isSameWorker(other.claim, session.claim))
        this.#proved(other, other.state.proof);
  }

  /** It is gone for good. */
  end(session: WorkerSession, reason: string): void {
    if (session.state === 'ended') return;
    const { sessions, legs, presence, observer, wire } = this.#options;
    session.state = 'ended';
    sessions.remove(session);
    wire.forget(session.peer);
    legs.workerLost(session);
    const { team, identity, node } = session.claim;
    presence.offline(team, identity);
    observer.workerOffline({ team, identity, node, reason });
  }

  /** It does not keep to the rules, or may not be here: it is told, and ended. */
  expel(session: WorkerSession, error: TriggerdError): void {
    this.end(session, error.message);
    this.#refuse(session.peer, error);
  }

  /** The registry has changed: who may still be here, and for what? */
  registryChanged(): void {
    const { registry, accounts, sessions } = this.#options;
    const lost: string[] = [];
    for (const session of [...sessions.workers()]) {
      const { team, identity } = session.claim;
      const attached = registry.servicesOf(team, identity);
      if (attached === undefined || !accounts.isWorkerCurrent(team, identity, session.proof))
        this.expel(session, new TriggerdError('worker-refused', 'its token is not valid any more'));
      else if (!isSameList(attached, session.attached)) lost.push(...this.#attach(session, attached));
    }
    // Not before all have theirs: what one has lost, another one may have got.
    for (const target of lost) this.#options.legs.refuseUnserved(target);
  }

  tick(now: number): void {
    for (const session of [...this.#options.sessions.all()])
      if (session.kind === 'newcomer' && session.state.at === 'knocking' && session.state.until <= now)
        this.#turnedAway(session, new TriggerdError('worker-refused', 'another process is connected as this worker'));
  }

  /** Gives what it does not serve any more. */
  #attach(session: WorkerSession, attached: readonly string[]): string[] {
    const { wire, legs } = this.#options;
    const before = targetsOf(session);
    session.attached = attached;
    this.#serveWhatIsAllowed(session);
    if (isConnected(session)) {
      session.unanswered++;
      wire.send(session.peer, encodeToWorker({ op: 'services', services: attached }));
    }
    legs.serve(session);
    const now = new Set(targetsOf(session));
    return before.filter((target) => !now.has(target));
  }

  #proved(newcomer: NewcomerSession, proof: WorkerProof): void {
    const { sessions, clock, wire, limits, accounts } = this.#options;
    if (sessions.of(newcomer.peer) !== newcomer) return;
    const { team, identity, instance } = newcomer.claim;
    // Changes of the registry are looked at for those who are in; this one may have come while it waited.
    if (!accounts.isWorkerCurrent(team, identity, proof)) {
      this.#turnedAway(newcomer, new TriggerdError('worker-refused', 'its token is not valid any more'));
      return;
    }
    const holder = sessions.worker(team, identity);
    if (holder === undefined || holder.claim.instance === instance) {
      this.#admit(newcomer, proof, holder);
      return;
    }
    if (!isConnected(holder)) {
      this.end(holder, 'another process has taken its place');
      this.#admit(newcomer, proof, undefined);
      return;
    }
    // A connection that is gone shows when something is sent to it.
    newcomer.state = { at: 'knocking', until: clock.now() + Math.min(knockMs, limits.heartbeatMs), proof };
    wire.send(holder.peer, encodeToWorker({ op: 'heartbeat' }));
  }

  #turnedAway(newcomer: NewcomerSession, error: unknown): void {
    const { sessions, strangers } = this.#options;
    if (sessions.of(newcomer.peer) !== newcomer) return;
    // Its guesses are remembered for as long as its connection is.
    if (newcomer.conduct.guesses.count > 0) newcomer.state = { at: 'refused' };
    else sessions.remove(newcomer);
    const { team, identity, node } = newcomer.claim;
    const fields = { team, worker: identity, node, error: asTriggerdError(error) };
    strangers.warn(`worker ${newcomer.peer}`, fields, 'A worker was refused.');
    this.#refuse(newcomer.peer, error);
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
    this.#serveWhatIsAllowed(session);
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

  /** On the same connection: only the same process does that. */
  #readyAgain(session: WorkerSession, message: Of<'ready'>, body: Buffer): void {
    if (isSameWorker(session.claim, message) && session.claim.instance === message.instance) {
      this.disconnected(session);
      this.ready(session.peer, message, body);
    } else this.expel(session, new TriggerdError('bus-protocol', 'one connection is one worker'));
  }

  #announce(session: WorkerSession, { services, no_proof }: Of<'announce'>): void {
    const { strangers, observer, legs } = this.#options;
    const { team, identity } = session.claim;
    const allowed = new Set([identity, ...session.attached]);
    const lies = services.filter((name) => !allowed.has(name));
    if (lies.length > 0) {
      observer.refused('service-not-found');
      strangers.warn(
        `lies of ${team}/${identity}`,
        { team, worker: identity, services: lies.slice(0, 10) },
        'A worker announces services that it is not attached to; it gets none of their requests.',
      );
    }
    session.announced = new Set(services);
    session.noProof = no_proof && new Set(no_proof);
    session.unanswered = Math.max(0, session.unanswered - 1);
    this.#serveWhatIsAllowed(session);
    legs.serve(session);
    legs.refuseUnservedOf(session);
  }

  #serveWhatIsAllowed(session: WorkerSession): void {
    const { team, identity } = session.claim;
    const names = [identity, ...session.attached].filter((name) => session.announced.has(name));
    session.serves = new Set(names.map((name) => targetOf(team, name)));
  }

  #credit(session: WorkerSession, room: Room): void {
    session.free = freeOf(session, room);
    this.#options.legs.serve(session);
  }

  #partial(session: WorkerSession, message: Of<'partial'>, body: Buffer): void {
    const leg = this.#sentTo(session, message.id);
    if (leg !== undefined) this.#passOn(session, leg, message, body);
  }

  /** False: the worker does not keep to the rules, and is gone. */
  #passOn(session: WorkerSession, leg: Leg, head: PartialHead, body: Buffer): boolean {
    if (passOn(this.#options, session, leg, head, body)) return true;
    this.expel(session, new TriggerdError('bus-protocol', `output of ${head.id} out of order or beyond the window`));
    return false;
  }

  #sentTo(session: WorkerSession, id: RequestId): Leg | undefined {
    const leg = session.legs.get(id);
    return leg?.state.kind === 'sent' ? leg : undefined;
  }

  #final(session: WorkerSession, { op: _, id, job, free, seen, stream, ...ending }: Of<'final'>, body: Buffer): void {
    const leg = this.#sentTo(session, id);
    session.free = freeOf(session, { free, seen });
    if (leg !== undefined) {
      const output = stream !== undefined && goesWithEnd(leg, body) ? { stream, bytes: body } : null;
      const isLeft = stream !== undefined && output === null;
      if (isLeft && !this.#passOn(session, leg, { id, stream, offset: 0 }, body)) return;
      const tail = tailOf(lastBytesOf(body, historyTailBytes));
      this.#options.legs.finished(leg, ending, { node: session.claim.node, job, tail, output });
    }
    this.#options.legs.serve(session);
  }

  #returned(session: WorkerSession, { id }: Of<'returned'>): void {
    const leg = session.legs.get(id);
    // Its next credit says when it has a slot again.
    session.free = 0;
    if (leg !== undefined) this.#options.legs.returned(leg);
  }

  #known(session: WorkerSession, { id, known }: Of<'known'>): void {
    const leg = session.legs.get(id);
    if (leg !== undefined) this.#options.legs.answered(session, leg, known);
  }

  #leaving(session: WorkerSession): void {
    if (session.state !== 'present') return;
    session.state = 'leaving';
    this.#options.legs.refuseUnservedOf(session);
  }

  #refuse(peer: PeerId, thrown: unknown): void {
    const refusal = refusalOf(thrown);
    this.#options.observer.refused(refusal.code);
    this.#options.wire.send(peer, encodeToWorker({ op: 'refused', ...refusal }));
  }
}

/** What it has said is older than what it was sent since: that finds fewer slots. */
const freeOf = ({ sent }: WorkerSession, { free, seen }: Room): number => Math.max(0, free - Math.max(0, sent - seen));

const isSameWorker = (a: Pick<WorkerClaim, 'team' | 'identity'>, b: Pick<WorkerClaim, 'team' | 'identity'>): boolean =>
  a.team === b.team && a.identity === b.identity;

const isSameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, index) => item === b[index]);
