import { encodeFromWorker } from '../bus/codec/encode.ts';
import { decodeToWorker } from '../bus/codec/to-worker.ts';
import { protocolVersion, type Refusal, type ToWorker, type Welcome, type WorkerMessage } from '../bus/messages.ts';
import type { Connection, Message } from '../bus/ports.ts';
import type { BrokerAddress } from '../domain/broker-address.ts';
import { type RetryPolicy, retryDelayMs } from '../kit/retry.ts';
import { startTimer } from '../kit/timer.ts';
import type { Disclaimed } from './disclaimed.ts';
import type { BrokerPlace, WorkerIdentity, WorkerNews } from './ports.ts';
import { ServedRequests } from './served-requests.ts';

/** What a broker says to a worker that it has welcomed. */
type WhenConnected = Exclude<ToWorker, { readonly op: 'welcome' | 'refused' | 'goodbye' | 'reannounce' }>;

export interface BrokerConnectionOptions extends WorkerIdentity {
  readonly broker: BrokerPlace;
  readonly disclaimed: Disclaimed;
  /** The brokers that are up, as this one says. */
  onBrokers(brokers: readonly BrokerAddress[]): void;
  /** Asked when it is lost: false ends the connection. */
  isWanted(): boolean;
  /** Called once, when all that was said has been sent. */
  onGone(): void;
}

/** A broker that does not answer `ready` for so long is away. */
const answerMs = 10_000;
/** Whatever a broker asks for. */
const shortestHeartbeatMs = 10;
/** So many heartbeats without a sign of life, and the broker is lost. */
const liveness = 4;
/** After a refusal without a time: a token does not become right by itself. */
const refusedRetryMs = 32_000;

export const reconnectPolicy: RetryPolicy = { firstMs: 500, factor: 2, maxMs: 32_000, jitter: 0.5 };

interface Connected {
  readonly connection: Connection;
  readonly heartbeatMs: number;
  readonly requests: ServedRequests;
  readonly services: readonly string[];
  /** What the broker believes to be free here. */
  told: number;
  /** Of `performance.now()`. */
  heardAt: number;
  lookedAt: number;
}

type State =
  | { readonly is: 'connecting'; readonly connection: Connection }
  | ({ readonly is: 'serving'; readonly isBrokerStopping: boolean } & Connected)
  | ({ readonly is: 'leaving' } & Connected)
  | { readonly is: 'waiting' }
  | { readonly is: 'gone' };

/**
 * One worker at one broker.
 *
 *                ┌───────────────── after a pause ─────────────────┐
 *                ▼                                                 │
 *     start ► connecting ─ no answer, refused ─────────────────► waiting
 *                │  ▲                                              ▲
 *        welcome │  │ reannounce, connection lost                  │
 *                ▼  │                                              │
 *             serving ─ silence, goodbye and nothing of it runs ───┘
 *                │
 *                │ leave
 *                ▼
 *             leaving ─ nothing of it runs here any more ► gone
 *
 * In `connecting` the socket tries again by itself. Each way out of `serving` forgets what was asked, so nothing of an old
 * connection is ever acted on; what runs, runs on. A broker that nobody wants any more is gone once it does not serve.
 */
export class BrokerConnection {
  readonly broker: BrokerPlace;
  readonly #options: BrokerConnectionOptions;
  #state: State = { is: 'waiting' };
  #failures = 0;
  #complaint: string | undefined;
  #cancelTimer: () => void = () => undefined;

  constructor(options: BrokerConnectionOptions) {
    this.#options = options;
    this.broker = options.broker;
  }

  get isServing(): boolean {
    return this.#state.is === 'serving';
  }

  // ── transitions ─────────────────────────────────────────────────────────────────────────────────────────────────

  connect(): void {
    if (this.#state.is !== 'waiting') return;
    this.#tell({ kind: 'connecting' });
    // A connection that was closed calls nobody any more.
    const connection = this.#options.connect(this.broker, {
      up: () => this.#sayReady(connection),
      down: (reason) => this.#down(connection, reason),
      message: (head, body) => this.#received(head, body),
    });
    this.#become({ is: 'connecting', connection });
  }

  /** Finishes what runs for this broker, takes nothing new, and is gone then. */
  leave(): void {
    const state = this.#state;
    if (state.is === 'serving') {
      state.requests.takeNoMore();
      this.#become({ ...state, is: 'leaving' });
      this.#send({ op: 'leaving' });
      this.#beat();
      this.#idle();
    } else if (state.is !== 'leaving') this.close();
  }

  /** Gone at once; what runs, runs on. */
  close(): void {
    if (this.#state.is !== 'gone') this.#become({ is: 'gone' });
  }

  #sayReady(connection: Connection): void {
    const { team, identity, token, instance, node, version, jobs } = this.#options;
    this.#become({ is: 'connecting', connection });
    const free = Math.max(0, jobs.free());
    this.#send({ op: 'ready', v: protocolVersion, team, identity, instance, node, version, free }, Buffer.from(token));
    this.#after(answerMs, () => this.#lose('it does not answer'));
  }

  #welcome(connection: Connection, head: Welcome & { readonly services: readonly string[] }): void {
    this.#failures = 0;
    const now = performance.now();
    this.#become({
      is: 'serving',
      isBrokerStopping: false,
      connection,
      heartbeatMs: Math.max(shortestHeartbeatMs, head.heartbeat_ms),
      requests: this.#serve(head.max_message),
      services: [],
      ...{ told: 0, heardAt: now, lookedAt: now },
    });
    this.#tell({ kind: 'connected', broker: head.broker });
    this.#announce(head.services);
    this.#beat();
    this.#options.onBrokers(head.brokers);
  }

  /** The broker stops: whatever runs for it may still be answered. */
  #goodbye(brokers: readonly BrokerAddress[]): void {
    const state = this.#state;
    this.#tell({ kind: 'goodbye' });
    if (state.is === 'connecting') this.#wait(this.#nextDelay());
    if (state.is === 'serving') this.#state = { ...state, isBrokerStopping: true };
    this.#options.onBrokers(brokers);
    this.#idle();
  }

  /** Where somebody waits for the last request to end, and it has, the connection ends. */
  #idle(): void {
    const state = this.#state;
    if (!('requests' in state) || !state.requests.isIdle) return;
    if (state.is === 'leaving') this.#disconnect();
    else if (state.isBrokerStopping) this.#wait(this.#nextDelay());
  }

  #disconnect(): void {
    this.#send({ op: 'disconnect' });
    this.#tell({ kind: 'left' });
    this.#become({ is: 'gone' });
  }

  /** The broker does not know us any more; then it does not know what it has asked of us, either. */
  #reannounce(): void {
    const state = this.#state;
    if (state.is === 'leaving') this.#disconnect();
    if (state.is === 'serving') this.#sayReady(state.connection);
  }

  #refused({ code, message, retry_after_ms }: Refusal): void {
    const retryMs = retry_after_ms ?? refusedRetryMs;
    this.#tell({ kind: 'refused', refusal: { code, message, retry_after_ms }, retryMs });
    if (this.#state.is === 'leaving') this.close();
    else this.#wait(retryMs);
  }

  /** The socket has lost it and tries again. */
  #down(connection: Connection, reason: string): void {
    this.#tell({ kind: 'lost', reason, wasServing: this.isServing });
    if (this.#state.is === 'leaving' || !this.#options.isWanted()) this.close();
    else this.#become({ is: 'connecting', connection });
  }

  /** The socket believes that all is well, and the broker does not answer. */
  #lose(reason: string): void {
    this.#tell({ kind: 'lost', reason, wasServing: this.isServing });
    if (this.#state.is === 'leaving' || !this.#options.isWanted()) this.close();
    else this.#wait(this.#nextDelay());
  }

  #wait(ms: number): void {
    this.#become({ is: 'waiting' });
    this.#after(ms, () => this.connect());
  }

  /** The one place where the kind of state changes: what the new one has no use for ends. */
  #become(state: State): void {
    const before = this.#state;
    this.#cancelTimer();
    this.#state = state;
    if ('requests' in before && !('requests' in state && state.requests === before.requests)) before.requests.close();
    const closed = 'connection' in before && !('connection' in state) ? before.connection.close() : Promise.resolve();
    if (state.is === 'gone') void closed.then(this.#options.onGone);
  }

  // ── messages ────────────────────────────────────────────────────────────────────────────────────────────────────

  #received(frame: Buffer, body: Buffer): void {
    const head = decodeToWorker(frame);
    if (typeof head === 'string') this.#complain(head);
    else this.#handle({ head, body });
  }

  /** Once about each thing: a broker of another version may say it all the time. */
  #complain(why: string): void {
    if (this.#complaint === why) return;
    this.#complaint = why;
    const { endpoint } = this.broker;
    this.#options.log.warn({ broker: endpoint, why }, 'The broker sent a message that is not valid');
  }

  #handle({ head, body }: Message<ToWorker>): void {
    const state = this.#state;
    if ('heardAt' in state) state.heardAt = performance.now();
    switch (head.op) {
      case 'welcome':
        if (state.is === 'connecting') this.#welcome(state.connection, head);
        break;
      case 'refused':
        this.#refused(head);
        break;
      case 'goodbye':
        this.#goodbye(head.brokers);
        break;
      case 'reannounce':
        this.#reannounce();
        break;
      default:
        // The rest means something only to who has been welcomed.
        if ('requests' in state) this.#handleConnected(state, { head, body });
    }
  }

  #handleConnected(state: Connected, { head, body }: Message<WhenConnected>): void {
    switch (head.op) {
      case 'heartbeat':
        this.#tell({ kind: 'heartbeat' });
        break;
      case 'services':
        this.#announce(head.services);
        break;
      case 'brokers':
        this.#options.onBrokers(head.brokers);
        break;
      default:
        if (head.op === 'request') state.told--;
        state.requests.handle({ head, body });
    }
  }

  // ── what is told ────────────────────────────────────────────────────────────────────────────────────────────────

  /** A slot may have become free. */
  offer(): void {
    const state = this.#state;
    if (state.is !== 'serving') return;
    const room = state.requests.room();
    if (room.free === state.told) return;
    state.told = room.free;
    this.#send({ op: 'credit', ...room });
  }

  /** This worker's own identity is a service, too. */
  #announce(services: readonly string[]): void {
    const state = this.#state;
    if (state.is !== 'serving') return;
    const found = services.filter((service) => !state.services.includes(service));
    for (const service of found) this.#tell({ kind: 'announcing', service });
    this.#state = { ...state, services };
    const { identity, proofs } = this.#options;
    const wanted = proofs === undefined ? {} : { no_proof: proofs.unneeded() };
    this.#send({ op: 'announce', services: [...new Set([identity, ...services])], ...wanted });
  }

  /** A sign of life, and a look whether the broker gives any. */
  #beat(): void {
    const state = this.#state;
    if (!('requests' in state)) return;
    const now = performance.now();
    // Who was frozen himself can't tell how long the other one has been silent.
    if (now - state.lookedAt > 2 * state.heartbeatMs) state.heardAt = now;
    state.lookedAt = now;
    if (now - state.heardAt > liveness * state.heartbeatMs) {
      this.#lose('it has given no sign of life');
      return;
    }
    const room = state.requests.room();
    state.told = room.free;
    this.#send({ op: 'heartbeat', ...room });
    this.#after(state.heartbeatMs, () => this.#beat());
  }

  #serve(maxMessage: number): ServedRequests {
    const { team, identity, jobs, disclaimed, whyNotAllowed, log, broker, proofs } = this.#options;
    return new ServedRequests({
      ...{ worker: `${team}/${identity}`, jobs, disclaimed, broker: broker.key, whyNotAllowed, log, maxMessage },
      ...(proofs === undefined ? {} : { proofs }),
      send: (head, body) => {
        if ('free' in head && 'told' in this.#state) this.#state.told = head.free;
        this.#send(head, body);
      },
      tell: (news) => this.#tell(news),
      onIdle: () => this.#idle(),
    });
  }

  #send(head: WorkerMessage, body?: Buffer): void {
    if (!('connection' in this.#state)) return;
    const { connection } = this.#state;
    if (connection.send(encodeFromWorker(head), body)) return;
    // With a hole in it the rest is worth nothing. Not within this turn: whoever sends is in the middle of something.
    queueMicrotask(() => {
      if ('requests' in this.#state && this.#state.connection === connection) this.#lose('it takes nothing any more');
    });
  }

  #tell(news: WorkerNews): void {
    const { team, identity, tell } = this.#options;
    tell({ ...news, worker: `${team}/${identity}`, endpoint: this.broker.endpoint });
  }

  // ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #nextDelay(): number {
    this.#failures++;
    return retryDelayMs(reconnectPolicy, this.#failures);
  }

  #after(ms: number, act: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = startTimer(ms, act);
  }
}
