import type { Nonce, Refusal, ToClient } from '../messages.ts';
import type { BrokerLink } from './link.ts';
import type { Clock } from './ports.ts';
import type { Tokens } from './tokens.ts';

export interface TokenRenewalOptions {
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly link: BrokerLink;
  nextNonce(): Nonce;
  onRenewed(): void;
  /** The password is refused, and the token is good for no time worth mentioning. */
  onRefused(refusal: Refusal): void;
}

/** Below this the token is not good for another try. */
const leastLeftMs = 2_000;

/** Keeps the token good while one connection is ready: at half its life the password is exchanged for another one. */
export class TokenRenewal {
  readonly #options: TokenRenewalOptions;
  /** The nonce of a login that is under way. */
  #asked: Nonce | undefined;
  #cancelTimer: () => void = () => undefined;

  constructor(options: TokenRenewalOptions) {
    this.#options = options;
  }

  /** In time; a token that was given is never renewed. */
  schedule(): void {
    const ms = this.#options.tokens.renewalInMs;
    if (ms !== undefined) this.#after(ms);
  }

  /** At once, unless a login is under way. */
  ask(): void {
    if (this.#asked !== undefined) return;
    this.#cancelTimer();
    const { tokens, link, nextNonce } = this.#options;
    this.#asked = nextNonce();
    tokens.login(link, this.#asked);
  }

  /** Whether this message answers the login. */
  isAnswer(message: ToClient): boolean {
    return this.#asked !== undefined && 'n' in message && message.n === this.#asked;
  }

  /** Such an answer. */
  take(message: ToClient, body: Buffer): void {
    this.#asked = undefined;
    if (message.op === 'refused') this.#refused(message);
    if (message.op !== 'token') return;
    this.#options.tokens.take(message.expires_ms, body);
    this.schedule();
    this.#options.onRenewed();
  }

  stop(): void {
    this.#cancelTimer();
  }

  /** The old token may still be good for a while; then there is time to ask again. */
  #refused(refusal: Refusal): void {
    const left = this.#options.tokens.leftMs;
    if (left < leastLeftMs) this.#options.onRefused(refusal);
    else this.#after(left / 2);
  }

  #after(ms: number): void {
    this.#cancelTimer = this.#options.clock.after(ms, () => this.ask());
  }
}
