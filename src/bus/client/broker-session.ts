import { TriggerdError } from '../../domain/errors.ts';
import { printable } from '../../domain/names.ts';
import { type RetryPolicy, retryDelayMs } from '../../kit/retry.ts';
import { visible } from '../../kit/text.ts';
import { type ClientMessage, protocolVersion, type Refusal, type ToClient, type Welcome } from '../messages.ts';
import type { Connect } from '../ports.ts';
import { BrokerRing } from './broker-ring.ts';
import { type BrokerLink, Links } from './link.ts';
import type { Clock, Credentials, DialledBroker } from './ports.ts';
import type { Greeting, Proving, Ready, SessionState } from './session-state.ts';
import { errorOf, Tokens } from './tokens.ts';

/** How long one broker may take to welcome us, and to check a password. */
const greetingMs = 3_000;
const provingMs = 30_000;
/** A peer that is silent for so many heartbeats is gone. */
const liveness = 4;
/** Whatever a broker says. */
const leastHeartbeatMs = 10;
/** Between two rounds in which no broker answered. */
const roundRetry: RetryPolicy = { firstMs: 200, factor: 2, maxMs: 5_000, jitter: 0.5 };

export interface BrokerSessionOptions {
  readonly brokers: readonly DialledBroker[];
  readonly credentials: Credentials;
  readonly connect: Connect;
  readonly clock: Clock;
}

export interface SessionListener {
  /** A broker has welcomed us and we have a token: ask now. */
  ready(): void;
  /** A token in place of one that was refused or grew old. */
  renewed(): void;
  /** The broker is gone, says goodbye, or has forgotten us (null); whoever comes next is asked by itself. */
  lost(why: string | null): void;
  /** Every broker was asked, none answered; or our password was refused, and nobody is asked until `wake`. */
  failed(error: TriggerdError, isFinal: boolean): void;
  message(message: ToClient, body: Buffer): void;
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
  #state: SessionState = { is: 'asleep' };
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
    return this.#state.is === 'ready' ? this.#state.welcome : undefined;
  }

  /** Something is to be asked: connects, or ends the pause between two rounds. */
  wake(): void {
    if (this.#state.is === 'asleep' || this.#state.is === 'resting') this.#beginRound();
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
    if (this.#state.is !== 'ready') return false;
    this.#state.link.send(message, body);
    this.#state.sentAt = this.#options.clock.now();
    return true;
  }

  nextNonce(): number {
    this.#nonce += 1;
    return this.#nonce;
  }

  /** The broker refused the token; gets another one, if a password can. False: there is no password. */
  renew(): boolean {
    const can = this.#tokens.spoil();
    if (can && this.#state.is === 'ready') this.#askToken(this.#state);
    return can;
  }

  /** The broker takes nothing new: asks the next one. */
  moveOn(): void {
    if (this.#state.is === 'ready') this.#giveUp(`${shown(this.#state.broker)} is stopping`);
  }

  /** Resolves when every connection is gone. */
  async close(): Promise<void> {
    this.#leave();
    this.#state = { is: 'closed' };
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

  #greet(broker: DialledBroker): void {
    const isPresent = (): boolean => 'link' in this.#state && this.#state.link === link;
    const link: BrokerLink = this.#links.open(broker, {
      up: () => {
        if (isPresent()) link.send({ op: 'hello', v: protocolVersion });
      },
      attempting: () => {
        if (this.#state.is === 'greeting' && isPresent()) this.#waitAnew(this.#state);
      },
      down: (why) => {
        if (isPresent()) this.#giveUp(why);
      },
      message: (message, body) => {
        if (isPresent()) this.#take(message, body);
      },
    });
    this.#state = { is: 'greeting', broker, link, cancel: this.#limited(broker, greetingMs, 'answered') };
  }

  /** Each address of a broker has its own time. */
  #waitAnew(state: Greeting): void {
    state.cancel();
    this.#state = { ...state, cancel: this.#limited(state.broker, greetingMs, 'answered') };
  }

  /** The broker knows nothing of us (any more): everything is said anew. */
  #greetAgain({ broker, link, cancel, cancelRenewal }: Ready): void {
    cancel();
    cancelRenewal();
    this.#state = { is: 'greeting', broker, link, cancel: this.#limited(broker, greetingMs, 'answered') };
    this.#listener.lost(null);
    link.send({ op: 'hello', v: protocolVersion });
  }

  #limited(broker: DialledBroker, ms: number, what: string): () => void {
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
    this.#state = { is: 'proving', broker, link, cancel, welcome, n };
    this.#tokens.login(link, n);
  }

  #becomeReady({ broker, link, cancel: cancelWait }: Greeting | Proving, welcome: Welcome): void {
    cancelWait();
    const now = this.#options.clock.now();
    const ready: Ready = {
      is: 'ready',
      broker,
      link,
      welcome,
      heardAt: now,
      sentAt: now,
      lookedAt: now,
      asked: undefined,
      cancel: () => undefined,
      cancelRenewal: () => undefined,
    };
    this.#state = ready;
    this.#restedRounds = 0;
    this.#ring.answered(broker);
    this.#beat(ready);
    this.#renewInTime(ready);
    this.#listener.ready();
  }

  /** Leaves this broker for the next one. */
  #giveUp(why: string): void {
    const wasReady = this.#state.is === 'ready';
    this.#leave();
    if (wasReady) this.#ring.beginRoundWithoutLast();
    this.#troubles = wasReady ? [why] : [...this.#troubles, why];
    if (wasReady) this.#listener.lost(why);
    // Whoever heard of it may have closed us, or woken us.
    if (this.#state.is === 'asleep') this.#greetNext();
  }

  /** Nobody answered: again after a pause, or as soon as there is something new to ask. */
  #rest(): void {
    this.#restedRounds += 1;
    const cancel = this.#options.clock.after(retryDelayMs(roundRetry, this.#restedRounds), () => this.#beginRound());
    this.#state = { is: 'resting', cancel };
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
    if (state.is === 'asleep' || state.is === 'closed') return;
    state.cancel();
    if (state.is === 'ready') state.cancelRenewal();
    this.#state = { is: 'asleep' };
    if (state.is !== 'resting') state.link.close();
  }

  // ── while connected ───────────────────────────────────────────────────────────────────────────────────────────────

  #take(message: ToClient, body: Buffer): void {
    const state = this.#state;
    if (state.is === 'greeting') {
      if (message.op === 'welcome') this.#welcomed(state, message);
      else if (message.op === 'refused') this.#giveUp(`${shown(state.broker)}: ${visible(message.message)}`);
      else if (message.op === 'goodbye') this.#goodbye(state.broker, message.brokers);
    } else if (state.is === 'proving') this.#takeProof(state, message, body);
    else if (state.is === 'ready') this.#takeReady(state, message, body);
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
    state.heardAt = this.#options.clock.now();
    const isOfLogin = state.asked !== undefined && 'n' in message && message.n === state.asked;
    if (message.op === 'goodbye') this.#goodbye(state.broker, message.brokers);
    else if (message.op === 'reannounce') this.#greetAgain(state);
    else if (message.op === 'brokers') this.#ring.learn(message.brokers);
    else if (isOfLogin) this.#takeRenewal(state, message, body);
    else if (message.op !== 'heartbeat') this.#listener.message(message, body);
  }

  #goodbye(broker: DialledBroker, brokers: readonly DialledBroker[]): void {
    this.#ring.learn(brokers);
    this.#giveUp(`${shown(broker)} is stopping`);
  }

  /** Looks once per heartbeat: says that we live, and whether the broker does. */
  #beat(state: Ready): void {
    const { clock } = this.#options;
    const every = Math.max(leastHeartbeatMs, state.welcome.heartbeat_ms);
    state.cancel = clock.after(every, () => {
      const now = clock.now();
      // We were not running ourselves (stopped, suspended): what has come meanwhile is heard first.
      if (now - state.lookedAt > 2 * every) state.heardAt = now;
      state.lookedAt = now;
      if (now - state.heardAt > liveness * every) {
        this.#giveUp(`${shown(state.broker)} has fallen silent`);
        return;
      }
      if (now - state.sentAt >= every * 0.9) this.send({ op: 'heartbeat' });
      this.#beat(state);
    });
  }

  // ── tokens ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #renewInTime(state: Ready): void {
    const ms = this.#tokens.renewalInMs;
    if (ms !== undefined) state.cancelRenewal = this.#options.clock.after(ms, () => this.#askToken(state));
  }

  #askToken(state: Ready): void {
    if (state.asked !== undefined) return;
    state.cancelRenewal();
    state.asked = this.nextNonce();
    this.#tokens.login(state.link, state.asked);
  }

  #takeRenewal(state: Ready, message: ToClient, body: Buffer): void {
    state.asked = undefined;
    if (message.op === 'refused') this.#notRenewed(state, message);
    if (message.op !== 'token') return;
    this.#tokens.take(message.expires_ms, body);
    this.#renewInTime(state);
    this.#listener.renewed();
  }

  /** The old token may still be good for a while; then there is time to ask again. */
  #notRenewed(state: Ready, refusal: Refusal): void {
    const left = this.#tokens.leftMs;
    if (left < 2_000) this.#refused(refusal);
    else state.cancelRenewal = this.#options.clock.after(left / 2, () => this.#askToken(state));
  }
}

const shown = ({ endpoint }: DialledBroker): string => printable(endpoint);
