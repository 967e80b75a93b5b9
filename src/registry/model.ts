/**
 * What the registry holds. Teams are the border: whatever is inside one is invisible outside, but for public services.
 * Every record has a number that people see as `id`: teams and users are counted in the installation, the rest in the
 * team, and no number is given twice.
 * Values in etcd are these records with `"format": 1` (`docs/reference/keyspace.md`).
 */
import type { Algorithm, Retry, Visibility } from '../domain/service.ts';

export type Role = 'member' | 'admin';

interface RecordCommon {
  readonly id: number;
  readonly description: string;
  /** Identity of the user who made it. What root made on a node belongs to the owner of the team; empty: to nobody. */
  readonly owner: string;
  /** That user's number: a namesake who comes later owns nothing of it. 0: nobody. */
  readonly owner_id: number;
  /** ISO 8601. */
  readonly created_at: string;
  readonly updated_at: string;
}

/** Numbers of the user and of the team that something is counted for; team 0: it is gone, and was not written down. */
export interface Origin {
  readonly user: number;
  readonly team: number;
}

export interface Team extends RecordCommon {
  readonly name: string;
  /** Missing: root made it, or an earlier version did. */
  readonly origin?: Origin;
  /** Identity → role. There may be no admin who is enabled: then root gives it one. */
  readonly members: Readonly<Record<string, Role>>;
  /** Identities that were asked to join and have not answered. */
  readonly invited: Readonly<Record<string, Role>>;
}

/** A person or a program that asks. Users are of the whole installation; teams have them as members. */
export interface User extends Omit<RecordCommon, 'owner' | 'owner_id'> {
  readonly identity: string;
  /** The team whose admins made this user: they may set a new password, disable and delete. Null: it is gone. */
  readonly home: string | null;
  /** Missing: an earlier version made it (`origin.ts`). */
  readonly origin?: Origin;
  /** argon2id in PHC form; never leaves the registry. */
  readonly secret_hash: string;
  readonly disabled: boolean;
  /** Raised by a new password and by revocation: a JWT names the one that it was made under. No clock is compared. */
  readonly generation: number;
}

export interface Worker extends RecordCommon {
  readonly identity: string;
  /** SHA-256 of a token of 122 random bits: nothing to guess, so nothing to slow down. */
  readonly token_hash: string;
  /** Counts the tokens; connections that were proved by an earlier one end. */
  readonly generation: number;
}

export interface Service extends RecordCommon {
  readonly name: string;
  readonly algorithm: Algorithm;
  readonly retry: Retry;
  readonly timeout_ms: number | null;
  /** Identities in the order of their attachment. */
  readonly workers: readonly string[];
  readonly visibility: Visibility;
}

export type Framing = 'write' | 'line' | 'close';

/** What becomes of a message whose writer a signal has killed. */
export type PartialMessage = 'send' | 'drop';

/** A trigger of the documentation: what a write to a trigger file asks for. `trigger definition` on the command line. */
export interface Definition extends RecordCommon {
  readonly kind: 'definition';
  /** Number of the directory that it is in, and its name there: a directory moves without its content. */
  readonly parent: number;
  readonly name: string;
  readonly plugin: string | null;
  readonly service: string | null;
  readonly args: Readonly<Record<string, string>>;
  readonly timeout_ms: number | null;
  readonly visibility: Visibility;
  readonly framing: Framing;
  readonly delivery: 'async' | 'sync';
  /** False: acknowledged before it is on disk. */
  readonly durable: boolean;
  readonly max_message: number;
  /** How long an asynchronous message is tried; null: as the node says that it was written on. */
  readonly deadline_ms: number | null;
  /** Null: `drop` for framing `close`, else `send`. */
  readonly partial: PartialMessage | null;
  /** Permission bits of the file. */
  readonly mode: number;
}

/** A directory of the tree of trigger files; `/` is number 0, without a record. Numbers are shared with definitions. */
export interface Directory extends RecordCommon {
  readonly kind: 'directory';
  readonly parent: number;
  readonly name: string;
  readonly mode: number;
}

export type TreeNode = Definition | Directory;

/** The one that all teams of an etcd prefix share. Its random id is the audience of the tokens. */
export interface Installation {
  readonly id: string;
  readonly created_at: string;
}

/** A broker's public key for tokens, as JWK (Ed25519). Tokens of a key that is not here are void. */
export interface Issuer {
  readonly broker: string;
  readonly key: IssuerKey;
  readonly created_at: string;
}
export interface IssuerKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
}
