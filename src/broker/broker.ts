/**
 * The broker, without sockets and without time: messages, the loss of a connection and ticks of the clock go in, messages
 * come out at its `Wire`. What it knows is in `sessions.ts` (who is here), `worker-selection.ts` (who takes what), `queues.ts` (what waits), `requests.ts` (what
 * is not over), and is gone with it: clients and workers carry what matters to the next broker.
 */

import { encodeToClient, encodeToWorker } from '../bus/codec/encode.ts';
import { clientReaders } from '../bus/codec/from-client.ts';
import { workerReaders } from '../bus/codec/from-worker.ts';
import { type Header, isOpOf, parseHeader, readMessage } from '../bus/codec/parse.ts';
import type { PeerId } from '../bus/ports.ts';
import type { BrokerAddress } from '../domain/broker-address.ts';
import { LimitedLog } from '../kit/limited-log.ts';
import { Announcements } from './announcements.ts';
import { Clients } from './clients.ts';
import { Legs } from './legs.ts';
import { OpenRequests } from './open-requests.ts';
import { type BrokerOptions, livenessHeartbeats, maxSessions } from './options.ts';
import { Queues } from './queues.ts';
import { Requests } from './requests.ts';
import { isConnected, type Session, Sessions } from './sessions.ts';
import { WorkerSelection } from './worker-selection.ts';
import { Workers } from './workers.ts';

/** Malformed messages of one peer after which further ones get no answer. */
const maxFaults = 16;

export class Broker {
  /** Open requests, for users who may see or cancel them. */
  readonly openRequests: OpenRequests;
  readonly #options: BrokerOptions;
  readonly #sessions = new Sessions();
  readonly #queues = new Queues();
  readonly #workerSelection: WorkerSelection;
  readonly #legs: Legs;
  readonly #requests: Requests;
  readonly #clients: Clients;
  readonly #workers: Workers;
  /** For log lines that any peer can cause. */
  readonly #limitedLog: LimitedLog;
  readonly #unsubscribe: () => void;
  /** Peers that were sent `reannounce` since the last tick: once is enough. */
  readonly #told = new Set<PeerId>();
  #hasRegistryChanged = false;
  #isStopping = false;
  #tickedAt: number;

  constructor(options: BrokerOptions) {
    this.#options = options;
    const sessions = this.#sessions;
    const queues = this.#queues;
    const isStopping = (): boolean => this.#isStopping || options.isRefused?.() === true;
    const announcements = new Announcements(options.wire);
    const limitedLog = new LimitedLog(options.log, () => options.clock.now());
    this.#limitedLog = limitedLog;
    const workerSelection = new WorkerSelection(sessions, options.registry);
    this.#workerSelection = workerSelection;
    this.#legs = new Legs({
      ...options,
      sessions,
      workerSelection,
      queues,
      announcements,
      onOver: (leg) => this.#requests.legOver(leg),
    });
    this.#requests = new Requests({
      ...options,
      workerSelection,
      queues,
      announcements,
      legs: this.#legs,
      onFinished: (client, id) => {
        const session = sessions.of(client);
        if (session?.kind === 'client') session.requests.delete(id);
      },
    });
    const openRequests = new OpenRequests({ ...options, requests: this.#requests });
    this.openRequests = openRequests;
    this.#clients = new Clients({ ...options, sessions, requests: this.#requests, openRequests, isStopping });
    this.#workers = new Workers({ ...options, sessions, announcements, limitedLog, legs: this.#legs, isStopping });
    this.#unsubscribe = options.registry.onChange(() => {
      this.#hasRegistryChanged = true;
    });
    this.#tickedAt = options.clock.now();
  }

  /** One message. Never throws, whatever it is. */
  receive(peer: PeerId, head: Buffer, body: Buffer): void {
    const session = this.#sessions.of(peer);
    if (session) session.heardAt = this.#options.clock.now();
    const header = parseHeader(head);
    if (typeof header === 'string') this.#malformed(session, header);
    else if (session === undefined || session.kind === 'newcomer') this.#fromUnknown(peer, session, header, body);
    else if (session.kind === 'client') {
      const message = readMessage(clientReaders, header);
      if (typeof message === 'string') this.#malformed(session, message);
      else this.#clients.received(session, message, body);
    } else {
      const message = readMessage(workerReaders, header);
      if (typeof message === 'string') this.#malformed(session, message);
      else this.#workers.received(session, message, body);
    }
  }

  /** A frame that could not be split into messages. */
  receivedMalformed(peer: PeerId, why: string): void {
    this.#malformed(this.#sessions.of(peer), why);
  }

  /** Nothing can be sent to this peer any more. A peer that reads too slowly has missed messages, so it must begin again. */
  gone(peer: PeerId, why: 'disconnected' | 'too-slow'): void {
    const session = this.#sessions.of(peer);
    if (session === undefined) return;
    if (session.kind === 'client') this.#clients.gone(session);
    else if (session.kind === 'newcomer') this.#sessions.remove(session);
    else if (why === 'disconnected') this.#workers.disconnected(session);
    else this.#workers.end(session, 'it reads too slowly');
    if (why === 'too-slow') this.#reannounce(peer);
  }

  /** Call it about ten times a second. */
  tick(): void {
    const now = this.#options.clock.now();
    this.#forgiveStandstill(now);
    this.#told.clear();
    if (this.#hasRegistryChanged) {
      this.#hasRegistryChanged = false;
      this.#workers.services.registryChanged();
      this.#workerSelection.registryChanged();
    }
    const silentSince = now - this.#options.limits.heartbeatMs * livenessHeartbeats;
    for (const session of this.#sessions.all()) {
      if (session.heardAt < silentSince) this.#expire(session);
      else if (session.beatAt <= now) this.#beat(session, now);
    }
    this.#limitedLog.tick();
    this.#workers.admission.tick(now);
    this.#legs.tick(now);
    this.#requests.tick(now);
  }

  /** Tells all peers that the set of brokers has changed. */
  brokersChanged(): void {
    const brokers = this.#options.brokers();
    const toClient = encodeToClient({ op: 'brokers', brokers });
    const toWorker = encodeToWorker({ op: 'brokers', brokers });
    for (const { kind, peer } of this.#sessions.all())
      if (kind !== 'newcomer') this.#options.wire.send(peer, kind === 'client' ? toClient : toWorker);
  }

  /** Accepts nothing new and tells all peers to use another broker; running requests continue. */
  sayGoodbye(): void {
    this.#isStopping = true;
    this.sendAway(this.#options.brokers().filter(({ id }) => id !== this.#options.id));
    this.#requests.stop();
  }

  /** Tells all peers to use one of these brokers; running requests continue. */
  sendAway(brokers: readonly BrokerAddress[]): void {
    const goodbye = encodeToClient({ op: 'goodbye', brokers });
    for (const { peer } of this.#sessions.all()) this.#options.wire.send(peer, goodbye);
  }

  close(): void {
    this.#unsubscribe();
    for (const { claim } of this.#sessions.workers()) this.#options.presence.offline(claim.team, claim.identity);
  }

  /** Requests that a worker has. */
  get running(): number {
    return this.#requests.running;
  }

  get state(): BrokerState {
    const workers = [...this.#sessions.workers()].length;
    let queued = 0;
    for (const [, length] of this.#queues.lengths()) queued += length;
    return { peers: this.#sessions.size, workers, requests: this.#requests.size, queued };
  }

  #fromUnknown(peer: PeerId, session: Session | undefined, header: Header, body: Buffer): void {
    // A worker has nothing to say while its token is being checked.
    if (session?.kind === 'newcomer' && session.state.kind !== 'refused') return;
    if (header.op === 'hello' || header.op === 'ready') {
      if (session === undefined && this.#sessions.size >= maxSessions) {
        this.#options.observer.refused('broker-busy');
        this.#options.wire.send(peer, full);
        return;
      }
      const message = header.op === 'hello' ? readMessage(clientReaders, header) : readMessage(workerReaders, header);
      if (typeof message === 'string') this.#malformed(session, message);
      else if (message.op === 'hello') this.#clients.hello(peer, message);
      else if (message.op === 'ready') this.#workers.admission.ready(peer, message, body);
    } else if (isOpOf(clientReaders, header.op) || isOpOf(workerReaders, header.op)) this.#reannounce(peer);
    else this.#options.observer.malformed();
  }

  #reannounce(peer: PeerId): void {
    if (this.#told.has(peer)) return;
    this.#told.add(peer);
    this.#options.wire.send(peer, encodeToClient({ op: 'reannounce' }));
  }

  #malformed(session: Session | undefined, why: string): void {
    this.#options.observer.malformed();
    if (session === undefined || session.faults >= maxFaults) return;
    session.faults++;
    const refusal = { op: 'refused', code: 'bus-protocol', message: why, retry_after_ms: null } as const;
    this.#options.wire.send(session.peer, encodeToClient(refusal));
    if (session.faults === maxFaults)
      this.#limitedLog.warn('malformed', { why }, 'A peer keeps sending what is no message.');
  }

  #expire(session: Session): void {
    if (session.kind === 'client') this.#clients.gone(session);
    else if (session.kind === 'worker')
      this.#workers.end(session, isConnected(session) ? 'it was silent for too long' : 'it was lost');
    else this.#sessions.remove(session);
    this.#options.wire.forget(session.peer);
  }

  #beat(session: Session, now: number): void {
    session.beatAt = now + this.#options.limits.heartbeatMs;
    if (session.kind !== 'newcomer') this.#options.wire.send(session.peer, heartbeat);
  }

  /** A process that stood still heard nothing; its peers were not silent. */
  #forgiveStandstill(now: number): void {
    const gap = now - this.#tickedAt;
    this.#tickedAt = now;
    if (gap < this.#options.limits.heartbeatMs) return;
    for (const session of this.#sessions.all()) session.heardAt += gap;
  }
}

export interface BrokerState {
  readonly peers: number;
  readonly workers: number;
  /** Open requests. */
  readonly requests: number;
  /** Legs that wait for a worker. */
  readonly queued: number;
}

const heartbeat = encodeToClient({ op: 'heartbeat' });
const full = encodeToClient({
  op: 'refused',
  code: 'broker-busy',
  message: `${maxSessions} peers are connected`,
  retry_after_ms: 10_000,
});
