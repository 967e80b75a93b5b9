import { encodeFromWorker } from '../bus/codec/encode.ts';
import { decodeToWorker } from '../bus/codec/to-worker.ts';
import { protocolVersion, type Refusal, type ToWorker, type Welcome, type WorkerMessage } from '../bus/messages.ts';
import type { Connection, Message } from '../bus/ports.ts';
import type { BrokerAddress, BrokerEndpoint } from '../domain/broker-address.ts';
import { type RetryPolicy, retryDelayMs } from '../kit/retry.ts';
import { startTimer } from '../kit/timer.ts';
import type { Disclaimed } from './disclaimed.ts';
import type { WorkerIdentity, WorkerNews } from './ports.ts';
import { WelcomedSession } from './welcomed-session.ts';

export interface BrokerConnectionOptions extends WorkerIdentity {
  readonly broker: BrokerEndpoint;
  readonly disclaimed: Disclaimed;
  /** Called with the brokers that this one says are up. */
  onBrokers(brokers: readonly BrokerAddress[]): void;
  /** Asked when the connection is lost: false ends it. */
  isWanted(): boolean;
  /** Called once, when all messages have been sent. */
  onGone(): void;
}

/** A broker that does not answer `ready` within this time is away. */
const answerMs = 10_000;
/** Wait after a refusal without a time: a wrong token does not become valid by itself. */
const refusedRetryMs = 32_000;

export const reconnectPolicy: RetryPolicy = { firstMs: 500, factor: 2, maxMs: 32_000, jitter: 0.5 };

type State =
  | { readonly kind: 'connecting'; readonly connection: Connection }
  | {
      readonly kind: 'serving';
      readonly connection: Connection;
      readonly session: WelcomedSession;
      readonly isBrokerStopping: boolean;
    }
  | { readonly kind: 'leaving'; readonly connection: Connection; readonly session: WelcomedSession }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'gone' };

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
  readonly broker: BrokerEndpoint;
  readonly #options: BrokerConnectionOptions;
  #state: State = { kind: 'waiting' };
  #failures = 0;
  #complaint: string | undefined;
  #cancelTimer: () => void = () => undefined;

  constructor(options: BrokerConnectionOptions) {
    this.#options = options;
    this.broker = options.broker;
  }

  get isServing(): boolean {
    return this.#state.kind === 'serving';
  }

  // ── transitions ─────────────────────────────────────────────────────────────────────────────────────────────────

  connect(): void {
    if (this.#state.kind !== 'waiting') return;
    this.#tell({ kind: 'connecting' });
    // A closed connection calls no listener any more.
    const connection = this.#options.connect(this.broker, {
      up: () => this.#sayReady(connection),
      down: (reason) => this.#down(connection, reason),
      message: (head, body) => this.#received(head, body),
    });
    this.#become({ kind: 'connecting', connection });
  }

  /** Finishes running requests of this broker, takes nothing new, then ends. */
  leave(): void {
    const state = this.#state;
    if (state.kind === 'serving') {
      const { connection, session } = state;
      this.#become({ kind: 'leaving', connection, session });
      session.leave();
      this.#idle();
    } else if (state.kind !== 'leaving') this.close();
  }

  /** Ends at once; running requests continue. */
  close(): void {
    if (this.#state.kind !== 'gone') this.#become({ kind: 'gone' });
  }

  #sayReady(connection: Connection): void {
    const { team, identity, token, instance, node, version, jobs } = this.#options;
    this.#become({ kind: 'connecting', connection });
    const free = Math.max(0, jobs.free());
    this.#send({ op: 'ready', v: protocolVersion, team, identity, instance, node, version, free }, Buffer.from(token));
    this.#after(answerMs, () => this.#lose('it does not answer'));
  }

  #welcome(connection: Connection, head: Welcome & { readonly services: readonly string[] }): void {
    this.#failures = 0;
    const session = this.#welcomedSession(head);
    this.#become({ kind: 'serving', connection, session, isBrokerStopping: false });
    this.#tell({ kind: 'connected', broker: head.broker });
    session.announce(head.services);
    session.beat();
    this.#options.onBrokers(head.brokers);
  }

  /** The broker stops: results of running requests can still be sent. */
  #goodbye(brokers: readonly BrokerAddress[]): void {
    const state = this.#state;
    this.#tell({ kind: 'goodbye' });
    if (state.kind === 'connecting') this.#wait(this.#nextDelay());
    if (state.kind === 'serving') this.#state = { ...state, isBrokerStopping: true };
    this.#options.onBrokers(brokers);
    this.#idle();
  }

  /** Ends the connection if it waits only for its last request, and that has ended. */
  #idle(): void {
    const state = this.#state;
    if (!('session' in state) || !state.session.isIdle) return;
    if (state.kind === 'leaving') this.#disconnect();
    else if (state.isBrokerStopping) this.#wait(this.#nextDelay());
  }

  #disconnect(): void {
    this.#send({ op: 'disconnect' });
    this.#tell({ kind: 'left' });
    this.#become({ kind: 'gone' });
  }

  /** The broker does not know this worker any more, and so none of the requests it has sent. */
  #reannounce(): void {
    const state = this.#state;
    if (state.kind === 'leaving') this.#disconnect();
    if (state.kind === 'serving') this.#sayReady(state.connection);
  }

  #refused({ code, message, retry_after_ms }: Refusal): void {
    const retryMs = retry_after_ms ?? refusedRetryMs;
    this.#tell({ kind: 'refused', refusal: { code, message, retry_after_ms }, retryMs });
    if (this.#state.kind === 'leaving') this.close();
    else this.#wait(retryMs);
  }

  /** The socket has lost the connection and tries again. */
  #down(connection: Connection, reason: string): void {
    this.#tell({ kind: 'lost', reason, wasServing: this.isServing });
    if (this.#state.kind === 'leaving' || !this.#options.isWanted()) this.close();
    else this.#become({ kind: 'connecting', connection });
  }

  /** The broker does not answer, although the socket is connected. */
  #lose(reason: string): void {
    this.#tell({ kind: 'lost', reason, wasServing: this.isServing });
    if (this.#state.kind === 'leaving' || !this.#options.isWanted()) this.close();
    else this.#wait(this.#nextDelay());
  }

  #wait(ms: number): void {
    this.#become({ kind: 'waiting' });
    this.#after(ms, () => this.connect());
  }

  /** Only here the kind of state changes: closes what the new state has no use for. */
  #become(state: State): void {
    const before = this.#state;
    this.#cancelTimer();
    this.#state = state;
    if ('session' in before && !('session' in state && state.session === before.session)) before.session.close();
    const closed = 'connection' in before && !('connection' in state) ? before.connection.close() : Promise.resolve();
    if (state.kind === 'gone') void closed.then(this.#options.onGone);
  }

  // ── messages ────────────────────────────────────────────────────────────────────────────────────────────────────

  #received(frame: Buffer, body: Buffer): void {
    const head = decodeToWorker(frame);
    if (typeof head === 'string') this.#complain(head);
    else this.#handle({ head, body });
  }

  /** Logs each complaint once: a broker of another version may cause it all the time. */
  #complain(why: string): void {
    if (this.#complaint === why) return;
    this.#complaint = why;
    const { endpoint } = this.broker;
    this.#options.log.warn({ broker: endpoint, why }, 'The broker sent a message that is not valid');
  }

  #handle({ head, body }: Message<ToWorker>): void {
    const state = this.#state;
    if ('session' in state) state.session.heard();
    switch (head.op) {
      case 'welcome':
        if (state.kind === 'connecting') this.#welcome(state.connection, head);
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
        // Other messages mean something only after `welcome`.
        if ('session' in state) state.session.handle({ head, body });
    }
  }

  // ── what is told ────────────────────────────────────────────────────────────────────────────────────────────────

  /** A slot may have become free. */
  offer(): void {
    if ('session' in this.#state) this.#state.session.offer();
  }

  #welcomedSession({ heartbeat_ms, max_message }: Welcome): WelcomedSession {
    return new WelcomedSession({
      ...this.#options,
      heartbeatMs: heartbeat_ms,
      maxMessage: max_message,
      send: (head, body) => this.#send(head, body),
      tell: (news) => this.#tell(news),
      onSilent: () => this.#lose('it has given no sign of life'),
      onIdle: () => this.#idle(),
    });
  }

  #send(head: WorkerMessage, body?: Buffer): void {
    if (!('connection' in this.#state)) return;
    const { connection } = this.#state;
    if (connection.send(encodeFromWorker(head), body)) return;
    // After a lost message the rest is worthless. Lose the connection in the next turn: the caller is in the middle of its work.
    queueMicrotask(() => {
      if ('session' in this.#state && this.#state.connection === connection) this.#lose('it takes nothing any more');
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
