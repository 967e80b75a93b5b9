import type { BrokerEndpoint } from '../../domain/broker-address.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { printable } from '../../domain/names.ts';
import { type RetryPolicy, retryDelayMs } from '../../kit/retry.ts';
import { visible } from '../../kit/text.ts';
import { type ClientMessage, protocolVersion, type Refusal, type ToClient, type Welcome } from '../messages.ts';
import type { Connect } from '../ports.ts';
import { BrokerRing } from './broker-ring.ts';
import { Heartbeat } from './heartbeat.ts';
import { type BrokerLink, Links } from './link.ts';
import type { Clock, Credentials, SessionListener } from './ports.ts';
import type { Greeting, Proving, Ready, SessionState } from './session-state.ts';
import { errorOf, TokenRenewal, Tokens } from './tokens.ts';

/** How long one broker may take to welcome us, and to check a password. */
const greetingMs = 3_000;
const provingMs = 30_000;
/** Whatever a broker says. */
const leastHeartbeatMs = 10;
/** Between two rounds in which no broker answered. */
const roundRetry: RetryPolicy = { firstMs: 200, factor: 2, maxMs: 5_000, jitter: 0.5 };

export interface BrokerSessionOptions {
  readonly brokers: readonly BrokerEndpoint[];
  readonly credentials: Credentials;
  readonly connect: Connect;
  readonly clock: Clock;
}

/**
 * The connection of a client to one broker of several.
 *
 *     asleep ──wake──► greeting ──welcome──► proving ──token──► ready
 *        ▲               │  ▲ │                 │                 │
 *        │               │  │ └─ next broker ◄──┴── silence, goodbye, a broken link
 *        │        round  ▼  │ pause over, wake                    │
 *        │             resting ◄──────────────────────────────────┘ (only when no broker is left to ask)
 *        └── a password that is refused (from proving, and from ready where it is renewed)
 *
 * With a token in place of a password nothing is proved: `welcome` leads to `ready`. A round asks every known broker
 * once: first the ones of the configuration, in their order, then those that brokers told of; the one after the loss of a
 * broker asks the others, so that a broker that is about to stop is not asked again at once. While ready, the token is
 * renewed at half its life, and a broker that is silent for four of its heartbeats is left for the next one.
 */
export class BrokerSession {
  readonly #options: BrokerSessionOptions;
  readonly #listener: SessionListener;
  readonly #ring: BrokerRing;
  readonly #links: Links;
  readonly #tokens: Tokens;
  #state: SessionState = { kind: 'asleep' };
  #nonce = 0;
  #restedRounds = 0;
  #troubles: string[] = [];

  constructor(options: BrokerSessionOptions, listener: SessionListener) {
    this.#options = options;
    this.#listener = listener;
    this.#ring = new BrokerRing(options.brokers);
    this.#links = new Links(options.connect);
    this.#tokens = new Tokens(options.credentials, options.clock);
  }

  /** What the broker said of itself; undefined while there is none. */
  get broker(): Welcome | undefined {
    return this.#state.kind === 'ready' ? this.#state.welcome : undefined;
  }

  /** Something is to be asked: connects, or ends the pause between two rounds. */
  wake(): void {
    if (this.#state.kind === 'asleep' || this.#state.kind === 'resting') this.#beginRound();
  }

  /** The token for a message; only while ready. */
  get jwt(): string {
    return this.#tokens.current;
  }

  /** How long that token is good for yet, in ms. */
  get jwtLeftMs(): number {
    return this.#tokens.leftMs;
  }

  /** Sends while ready; otherwise the message is not sent and that is said. */
  send(message: ClientMessage, body?: Buffer): boolean {
    if (this.#state.kind !== 'ready') return false;
    this.#state.link.send(message, body);
    this.#state.heartbeat.sent();
    return true;
  }

  nextNonce(): number {
    this.#nonce += 1;
    return this.#nonce;
  }

  /** The broker refused the token; gets another one, if a password can. False: there is no password. */
  renew(): boolean {
    const can = this.#tokens.spoil();
    if (can && this.#state.kind === 'ready') this.#state.renewal.ask();
    return can;
  }

  /** The broker takes nothing new: asks the next one. */
  moveOn(): void {
    if (this.#state.kind === 'ready') this.#giveUp(`${shown(this.#state.broker)} is stopping`);
  }

  /** Resolves when every connection is gone. */
  async close(): Promise<void> {
    this.#leave();
    this.#state = { kind: 'closed' };
    await this.#links.closed();
  }

  // ── ways from state to state ──────────────────────────────────────────────────────────────────────────────────────

  #beginRound(): void {
    this.#leave();
    this.#troubles = [];
    this.#ring.beginRound();
    this.#greetNext();
  }

  #greetNext(): void {
    const broker = this.#ring.next();
    if (broker === undefined) this.#rest();
    else this.#greet(broker);
  }

  #greet(broker: BrokerEndpoint): void {
    const isPresent = (): boolean => 'link' in this.#state && this.#state.link === link;
    const link: BrokerLink = this.#links.open(broker, {
      up: () => {
        if (isPresent()) link.send({ op: 'hello', v: protocolVersion });
      },
      attempting: () => {
        if (this.#state.kind === 'greeting' && isPresent()) this.#waitAnew(this.#state);
      },
      down: (why) => {
        if (isPresent()) this.#giveUp(why);
      },
      message: (message, body) => {
        if (isPresent()) this.#take(message, body);
      },
    });
    this.#state = { kind: 'greeting', broker, link, cancel: this.#limited(broker, greetingMs, 'answered') };
  }

  /** Each address of a broker has its own time. */
  #waitAnew(state: Greeting): void {
    state.cancel();
    this.#state = { ...state, cancel: this.#limited(state.broker, greetingMs, 'answered') };
  }

  /** The broker knows nothing of us (any more): everything is said anew. */
  #greetAgain(ready: Ready): void {
    stopReady(ready);
    const { broker, link } = ready;
    this.#state = { kind: 'greeting', broker, link, cancel: this.#limited(broker, greetingMs, 'answered') };
    this.#listener.lost(null);
    link.send({ op: 'hello', v: protocolVersion });
  }

  #limited(broker: BrokerEndpoint, ms: number, what: string): () => void {
    return this.#options.clock.after(ms, () => this.#giveUp(`${shown(broker)} has not ${what} within ${ms / 1000} s`));
  }

  #welcomed(state: Greeting, welcome: Welcome): void {
    this.#ring.learn(welcome.brokers);
    if (welcome.v !== protocolVersion)
      this.#giveUp(`${shown(state.broker)} speaks version ${welcome.v} of the protocol, this is ${protocolVersion}`);
    else if (this.#tokens.isFresh) this.#becomeReady(state, welcome);
    else this.#prove(state, welcome);
  }

  #prove({ broker, link, cancel: cancelGreeting }: Greeting, welcome: Welcome): void {
    cancelGreeting();
    const cancel = this.#limited(broker, provingMs, 'answered the login');
    const n = this.nextNonce();
    this.#state = { kind: 'proving', broker, link, cancel, welcome, n };
    this.#tokens.login(link, n);
  }

  #becomeReady({ broker, link, cancel: cancelWait }: Greeting | Proving, welcome: Welcome): void {
    cancelWait();
    const ready: Ready = {
      kind: 'ready',
      broker,
      link,
      welcome,
      heartbeat: this.#heartbeat(broker, welcome),
      renewal: this.#renewal(link),
    };
    this.#state = ready;
    this.#restedRounds = 0;
    this.#ring.answered(broker);
    ready.heartbeat.start();
    ready.renewal.schedule();
    this.#listener.ready();
  }

  #heartbeat(broker: BrokerEndpoint, { heartbeat_ms }: Welcome): Heartbeat {
    return new Heartbeat({
      clock: this.#options.clock,
      everyMs: Math.max(leastHeartbeatMs, heartbeat_ms),
      beat: () => void this.send({ op: 'heartbeat' }),
      onSilent: () => this.#giveUp(`${shown(broker)} has fallen silent`),
    });
  }

  #renewal(link: BrokerLink): TokenRenewal {
    return new TokenRenewal({
      tokens: this.#tokens,
      clock: this.#options.clock,
      link,
      nextNonce: () => this.nextNonce(),
      onRenewed: () => this.#listener.renewed(),
      onRefused: (refusal) => this.#refused(refusal),
    });
  }

  /** Leaves this broker for the next one. */
  #giveUp(why: string): void {
    const wasReady = this.#state.kind === 'ready';
    this.#leave();
    if (wasReady) this.#ring.beginRoundWithoutLast();
    this.#troubles = wasReady ? [why] : [...this.#troubles, why];
    if (wasReady) this.#listener.lost(why);
    // Whoever heard of it may have closed us, or woken us.
    if (this.#state.kind === 'asleep') this.#greetNext();
  }

  /** Nobody answered: again after a pause, or as soon as there is something new to ask. */
  #rest(): void {
    this.#restedRounds += 1;
    const cancel = this.#options.clock.after(retryDelayMs(roundRetry, this.#restedRounds), () => this.#beginRound());
    this.#state = { kind: 'resting', cancel };
    this.#listener.failed(new TriggerdError('broker-unreachable', this.#troubles.join('; ')), false);
  }

  /** Our password is not good (now): asking again by ourselves would only slow down the next attempt. */
  #refused(refusal: Refusal): void {
    this.#leave();
    this.#tokens.spoil();
    this.#listener.failed(errorOf(refusal), true);
  }

  /** Ends what belongs to the present state. */
  #leave(): void {
    const state = this.#state;
    if (state.kind === 'asleep' || state.kind === 'closed') return;
    if (state.kind === 'ready') stopReady(state);
    else state.cancel();
    this.#state = { kind: 'asleep' };
    if (state.kind !== 'resting') state.link.close();
  }

  // ── while connected ───────────────────────────────────────────────────────────────────────────────────────────────

  #take(message: ToClient, body: Buffer): void {
    const state = this.#state;
    if (state.kind === 'greeting') {
      if (message.op === 'welcome') this.#welcomed(state, message);
      else if (message.op === 'refused') this.#giveUp(`${shown(state.broker)}: ${visible(message.message)}`);
      else if (message.op === 'goodbye') this.#goodbye(state.broker, message.brokers);
    } else if (state.kind === 'proving') this.#takeProof(state, message, body);
    else if (state.kind === 'ready') this.#takeReady(state, message, body);
  }

  #takeProof(state: Proving, message: ToClient, body: Buffer): void {
    if (message.op === 'goodbye') this.#goodbye(state.broker, message.brokers);
    else if (message.op === 'refused' && (message.n === state.n || message.n === undefined)) this.#refused(message);
    else if (message.op === 'token' && message.n === state.n) {
      this.#tokens.take(message.expires_ms, body);
      this.#becomeReady(state, state.welcome);
    }
  }

  #takeReady(state: Ready, message: ToClient, body: Buffer): void {
    state.heartbeat.heard();
    if (message.op === 'goodbye') this.#goodbye(state.broker, message.brokers);
    else if (message.op === 'reannounce') this.#greetAgain(state);
    else if (message.op === 'brokers') this.#ring.learn(message.brokers);
    else if (state.renewal.isAnswer(message)) state.renewal.take(message, body);
    else if (message.op !== 'heartbeat') this.#listener.message(message, body);
  }

  #goodbye(broker: BrokerEndpoint, brokers: readonly BrokerEndpoint[]): void {
    this.#ring.learn(brokers);
    this.#giveUp(`${shown(broker)} is stopping`);
  }
}

const stopReady = ({ heartbeat, renewal }: Ready): void => {
  heartbeat.stop();
  renewal.stop();
};

const shown = ({ endpoint }: BrokerEndpoint): string => printable(endpoint);
