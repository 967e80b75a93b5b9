import { TriggerdError } from '../../domain/errors.ts';
import { visible } from '../../kit/text.ts';
import type { Nonce, Refusal, ToClient } from '../messages.ts';
import type { BrokerLink } from './link.ts';
import type { Clock, Credentials } from './ports.ts';

/** The token that says who asks: the one that was given, or the last one that a password was exchanged for. */
export class Tokens {
  readonly #credentials: Credentials;
  readonly #clock: Clock;
  #token: Token | undefined;

  constructor(credentials: Credentials, clock: Clock) {
    this.#credentials = credentials;
    this.#clock = clock;
    if ('jwt' in credentials) this.#token = { jwt: credentials.jwt, life: null };
  }

  get current(): string {
    if (this.#token === undefined) throw new Error('there is no token: log in first');
    return this.#token.jwt;
  }

  /** Whether there is one in the first half of its life, or one whose life nobody here knows. */
  get isFresh(): boolean {
    return this.#token !== undefined && (this.renewalInMs ?? 1) > 0;
  }

  /** How soon it is to be renewed; undefined for one that was given. */
  get renewalInMs(): number | undefined {
    const life = this.#token?.life;
    return life ? life.halfAt - this.#clock.now() : undefined;
  }

  /** In ms; of a token that was given, 0. */
  get leftMs(): number {
    return (this.#token?.life?.endsAt ?? 0) - this.#clock.now();
  }

  /** Asks for one by the password. */
  login(link: BrokerLink, n: Nonce): void {
    if ('jwt' in this.#credentials) throw new Error('a token needs no login');
    const { team, identity, secret, tokenTtlMs } = this.#credentials;
    const ttl = tokenTtlMs === undefined ? {} : { ttl_ms: tokenTtlMs };
    link.send({ op: 'login', n, team, identity, ...ttl }, Buffer.from(secret));
  }

  take(expiresMs: number, jwt: Buffer): void {
    const now = this.#clock.now();
    this.#token = { jwt: jwt.toString(), life: { halfAt: now + expiresMs / 2, endsAt: now + expiresMs } };
  }

  /** A broker refused it. False: it was given, and no password can get another one. */
  spoil(): boolean {
    if ('jwt' in this.#credentials) return false;
    if (this.#token !== undefined) this.#token = { ...this.#token, life: { halfAt: 0, endsAt: 0 } };
    return true;
  }
}

interface Token {
  readonly jwt: string;
  readonly life: { readonly halfAt: number; readonly endsAt: number } | null;
}

/** What a broker refuses, as an error of the catalogue. */
export const errorOf = ({ code, message, retry_after_ms }: Refusal): TriggerdError =>
  new TriggerdError(code, visible(message), retry_after_ms === null ? {} : { details: { retry_after_ms } });

interface TokenRenewalOptions {
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
