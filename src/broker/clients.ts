/** Messages of clients, one method per operation. */

import { encodeToClient } from '../bus/codec/encode.ts';
import { type ClientMessage, protocolVersion } from '../bus/messages.ts';
import type { PeerId } from '../bus/ports.ts';
import type { Caller } from '../domain/caller.ts';
import { asTriggerdError, TriggerdError } from '../domain/errors.ts';
import { type RequestStatement, requestNotices } from '../domain/live-request.ts';
import type { BusRegistry } from '../registry/bus-registry.ts';
import { type OpenRequests, requestStatement } from './open-requests.ts';
import type { BrokerOptions } from './options.ts';
import { acknowledge } from './output.ts';
import { draining, refusalOf, welcomeOf, wrongVersion } from './replies.ts';
import { type Leg, workerOf } from './request.ts';
import type { Requests } from './requests.ts';
import {
  type Admission,
  type AnswerTo,
  type ClientSession,
  guess,
  type Handlers,
  handle,
  newConduct,
  type Sessions,
  type Unadmitted,
} from './sessions.ts';

export interface ClientsOptions extends BrokerOptions {
  readonly sessions: Sessions;
  readonly requests: Requests;
  readonly openRequests: OpenRequests;
  readonly isStopping: () => boolean;
}

/** Logins, statements and tokens of one client that may be checked at the same time. */
const maxAsking = 64;
/** Messages that may wait for the check of their token: after a fail-over, a client sends all its requests at once. */
const maxUnadmitted = 10_000;
const maxUnadmittedBytes = 67_108_864;

type Of<Op extends ClientMessage['op']> = Extract<ClientMessage, { op: Op }>;

export class Clients {
  readonly #options: ClientsOptions;
  readonly #handlers: Handlers<ClientMessage, ClientSession> = {
    hello: ({ peer }, message) => this.hello(peer, message),
    login: (session, message, body) => this.#login(session, message, body),
    request: (session, message, body) => this.#request(session, message, body),
    cancel: (session, message) => this.#cancel(session, message),
    ack: (session, message) => this.#ack(session, message),
    registry: (session, message) => this.#registry(session, message),
    heartbeat: () => undefined,
    disconnect: (session) => this.gone(session),
  };

  constructor(options: ClientsOptions) {
    this.#options = options;
  }

  hello(peer: PeerId, { v }: Of<'hello'>): void {
    const { sessions, clock, limits, wire } = this.#options;
    if (v !== protocolVersion) {
      this.#refuse(peer, {}, wrongVersion(v));
      return;
    }
    // A client that was sent away and knows no other broker would reconnect at once, again and again.
    if (this.#options.isStopping()) {
      this.#refuse(peer, {}, draining());
      return;
    }
    const before = sessions.of(peer);
    if (before?.kind === 'client') this.#abandon(before);
    // A second `hello` comes from the same connection.
    const { faults = 0, conduct = newConduct() } = before ?? {};
    const now = clock.now();
    const beatAt = now + limits.heartbeatMs;
    const nothing = { admissions: new Map(), requests: new Set<string>() };
    sessions.add({ kind: 'client', peer, heardAt: now, beatAt, faults, conduct, ...nothing });
    wire.send(peer, encodeToClient(welcomeOf(this.#options)));
  }

  received(session: ClientSession, message: ClientMessage, body: Buffer): void {
    handle(this.#handlers, session, message, body);
  }

  /** The client is not connected any more; its requests continue. */
  gone(session: ClientSession): void {
    this.#options.sessions.remove(session);
    this.#abandon(session);
  }

  #abandon({ peer, requests }: ClientSession): void {
    for (const id of requests)
      for (const leg of this.#options.requests.abandon(peer, id)) this.#acknowledge(leg, leg.received);
    requests.clear();
  }

  #request(session: ClientSession, { jwt, op: _, ...head }: Of<'request'>, payload: Buffer): void {
    const { id } = head;
    this.#asCaller(session, jwt, { id }, payload.length, (caller) => {
      if (this.#options.isStopping()) throw draining();
      this.#options.requests.open(caller, session.peer, head, payload);
      if (this.#options.requests.find(id)?.client === session.peer) session.requests.add(id);
    });
  }

  #cancel(session: ClientSession, { jwt, id }: Of<'cancel'>): void {
    this.#asCaller(session, jwt, { id }, 0, (caller) => this.#options.requests.cancel(caller, id));
  }

  /** Acts at once for a known token. An unknown token is checked first, and messages with it wait in order. */
  #asCaller(session: ClientSession, jwt: string, to: AnswerTo, bytes: number, act: (caller: Caller) => void): void {
    const { registry } = this.#options;
    const carryOut = (): void => act(callerOf(registry, jwt));
    const admission = session.admissions.get(jwt);
    if (admission !== undefined) this.#join(session, admission, { to, bytes, carryOut });
    else
      this.#orRefuse(session, to, () => {
        const caller = registry.callerOf(jwt);
        if (caller !== undefined) act(caller);
        else this.#admit(session, jwt, { to, bytes, carryOut });
      });
  }

  #join({ peer }: ClientSession, admission: Admission, message: Unadmitted): void {
    const { waiting } = admission;
    if (waiting.length >= maxUnadmitted || admission.bytes > maxUnadmittedBytes) {
      this.#refuse(
        peer,
        message.to,
        new TriggerdError('broker-busy', 'too many requests are waiting for this token’s check'),
      );
      return;
    }
    admission.bytes += message.bytes;
    waiting.push(message);
  }

  #admit(session: ClientSession, jwt: string, first: Unadmitted): void {
    const { accounts } = this.#options;
    const { admissions } = session;
    this.#later(session, first.to, async () => {
      const waiting = [first];
      admissions.set(jwt, { waiting, bytes: first.bytes });
      const failure = await accounts.admit(jwt).then(() => undefined, asTriggerdError);
      admissions.delete(jwt);
      if (!this.#isHere(session)) return;
      for (const { to, carryOut } of waiting)
        this.#orRefuse(session, to, () => {
          if (failure !== undefined) throw failure;
          carryOut();
        });
    });
  }

  #orRefuse({ peer }: ClientSession, to: AnswerTo, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#refuse(peer, to, error);
    }
  }

  #isHere(session: ClientSession): boolean {
    return this.#options.sessions.of(session.peer) === session;
  }

  #ack({ peer }: ClientSession, { id, worker, bytes }: Of<'ack'>): void {
    const request = this.#options.requests.find(id);
    if (request?.client !== peer) return;
    const leg = request.legs.findLast((candidate) => workerOf(candidate) === worker);
    if (leg !== undefined) this.#acknowledge(leg, bytes);
  }

  #acknowledge(leg: Leg, bytes: number): void {
    const { state, request } = leg;
    if (state.kind !== 'sent') return;
    const session = this.#options.sessions.worker(request.service.team, state.worker);
    if (session !== undefined) acknowledge(this.#options.wire, session, leg, bytes);
  }

  #login(session: ClientSession, { n, team, identity, ttl_ms }: Of<'login'>, body: Buffer): void {
    const { conduct, peer } = session;
    const { accounts, clock } = this.#options;
    this.#later(session, { n }, async () => {
      const ttl = ttl_ms === undefined ? {} : { ttlMs: ttl_ms };
      const login = conduct.logins.then(() =>
        guess(conduct, clock, 'login-failed', () =>
          accounts.login({ team, identity, secret: body.toString(), ...ttl }),
        ),
      );
      conduct.logins = login.catch(() => undefined);
      const { jwt, expiresMs } = await login;
      if (this.#isHere(session))
        this.#options.wire.send(peer, encodeToClient({ op: 'token', n, expires_ms: expiresMs }), Buffer.from(jwt));
    });
  }

  #registry(session: ClientSession, { n, jwt, statement, seen }: Of<'registry'>): void {
    const { registry, accounts, wire } = this.#options;
    this.#later(session, { n }, async () => {
      if (registry.callerOf(jwt) === undefined) await accounts.admit(jwt);
      const caller = callerOf(registry, jwt);
      const own = requestStatement(caller, statement);
      const answer =
        own === undefined ? await accounts.execute(caller, statement, seen) : this.#answerItself(caller, own);
      if (this.#isHere(session))
        wire.send(session.peer, encodeToClient({ op: 'answer', n }), Buffer.from(JSON.stringify(answer ?? null)));
    });
  }

  #answerItself(caller: Caller, statement: RequestStatement): unknown {
    const { openRequests, id, brokers } = this.#options;
    const actor = { kind: 'user', caller } as const;
    const { verb } = statement;
    const found = verb === 'request.list' ? openRequests.list(actor, statement) : openRequests.cancel(actor, statement);
    const others = brokers().flatMap((broker) => (broker.id === id ? [] : broker.id));
    return { kind: 'request', rows: found.rows, notices: requestNotices(found, id, others) };
  }

  /** Work that takes time; at most `maxAsking` of one connection at the same time. */
  #later(session: ClientSession, to: AnswerTo, work: () => Promise<void>): void {
    const { peer, conduct } = session;
    if (conduct.asking >= maxAsking) {
      this.#refuse(
        peer,
        to,
        new TriggerdError('broker-busy', `${conduct.asking} of your questions wait for an answer already`),
      );
      return;
    }
    conduct.asking++;
    const done = (): void => void conduct.asking--;
    work().then(done, (error: unknown) => {
      done();
      this.#refuse(peer, to, error);
    });
  }

  #refuse(peer: PeerId, to: AnswerTo, thrown: unknown): void {
    const refusal = refusalOf(thrown);
    const { wire, observer, log } = this.#options;
    if (refusal.code === 'internal') log.error({ error: asTriggerdError(thrown) }, 'Could not handle a message');
    observer.refused(refusal.code);
    wire.send(peer, encodeToClient({ op: 'refused', ...to, ...refusal }));
  }
}

const callerOf = (registry: BusRegistry, jwt: string): Caller => {
  const caller = registry.callerOf(jwt);
  if (caller === undefined) throw new TriggerdError('token-invalid', 'the token is not known here');
  return caller;
};
