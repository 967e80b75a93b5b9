import { TriggerdError } from '../../domain/errors.ts';
import { visible } from '../../kit/text.ts';
import type { Nonce, Refusal } from '../messages.ts';
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
