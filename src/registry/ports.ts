import type { Asker } from '../domain/caller.ts';
import type { Fence } from '../store/key-store.ts';
import type { Issuer, IssuerKey } from './model.ts';

/** Passwords. At most two are worked on at a time; the event loop is never blocked. */
export interface Passwords {
  /** Hash in PHC form. Throws `too-many-attempts` when too many wait. */
  hash(secret: string): Promise<string>;
  /** False also for a hash that is none. Throws `too-many-attempts` when too many wait. */
  verify(hash: string, secret: string): Promise<boolean>;
  /** Takes as long as `verify`: for an identity that there is not. */
  pretend(secret: string): Promise<false>;
}

export interface WorkerTokens {
  /** A UUIDv4 and its hash. */
  create(): { readonly token: string; readonly hash: string };
  /** Whether the token has this hash. Takes constant time. */
  fits(token: string, hash: string): boolean;
}

/** What a JWT says. */
export interface TokenClaims extends Asker {
  /** A token that somebody has asked for to write it down: it changes no users and teams, so it takes nobody's account over. */
  readonly isLimited?: boolean;
}

/** A token that was checked, and when it ends (ms since the epoch). */
export interface CheckedToken extends TokenClaims {
  readonly kid: string;
  readonly audience: string;
  readonly endsAt: number;
}

/** The key of this broker. */
export interface TokenIssuer {
  readonly kid: string;
  readonly publicKey: IssuerKey;
  /** The claims, signed so that no check of tokens takes them for a token. At once: it is made while a request is sent. */
  signProof(claims: object): string;
  /** `ttlMs`: how long the token is wanted for; it gets 1 s to 366 days. Default: 15 minutes. */
  issue(
    claims: TokenClaims,
    audience: string,
    ttlMs?: number,
  ): Promise<{ readonly jwt: string; readonly checked: CheckedToken }>;
}

export interface TokenChecker {
  /**
   * Checks signature, algorithm, issuer, audience and times. Throws `token-invalid`, for whatever reason with the same
   * message.
   */
  check(jwt: string, audience: string, issuers: ReadonlyMap<string, Issuer>): Promise<CheckedToken>;
}

/** A proof that was taken apart: signed by a key of the registry. */
export interface OpenedProof {
  readonly claims: unknown;
  readonly issuer: Issuer;
  /** Whether the worker whose token has this hash has sealed it. In constant time. */
  isSealedWith(tokenHash: string): boolean;
}

export interface ProofOpener {
  /** Undefined: it is none, or nobody's of these. */
  open(sealed: string, issuers: ReadonlyMap<string, Issuer>): OpenedProof | undefined;
}

/** Whether this broker has its id, which no other process has then. */
export interface BrokerName {
  /** What a write that needs the id compares; undefined while it is not held. */
  readonly fence: Fence | undefined;
  readonly isAway: boolean;
  isRefused(): boolean;
  /** Asks etcd soon. */
  look(): void;
  /** Called after every change. Returns how to stop that. */
  onChange(listener: () => void): () => void;
}
