import type { RequestId } from './request.ts';

/** The user who asks. `role`: in the team of the token. */
export interface Caller {
  readonly identity: string;
  readonly team: string;
  readonly role: 'member' | 'admin';
  /** Number of the team of the token. */
  readonly teamId: number;
  /** Numbers of the user and of the team that what this user holds counts for (`src/registry/rules/limits.ts`). */
  readonly origin: { readonly user: number; readonly team: number };
  /** The token is limited: it changes no users and teams. */
  readonly isLimited?: boolean;
}

/** Somebody who asks, by numbers that are never given twice: a namesake who comes later is another one. */
export interface Asker {
  readonly identity: string;
  readonly team: string;
  readonly userId: number;
  readonly teamId: number;
  readonly generation: number;
}

/** What a proof says: this request of these users has been given to this worker. */
export interface ProvenRequest {
  readonly id: RequestId;
  /** `team/identity` of the worker. */
  readonly worker: string;
  /** Users who asked, the first one first; the last one is the user of the request. */
  readonly askers: readonly Asker[];
  /** How many requests from inside jobs led to it. */
  readonly depth: number;
  /** ms since the epoch: when its time has ended. */
  readonly endsAt: number;
}

export interface CheckedProof extends ProvenRequest {
  /** The same users, with their present rights. */
  readonly callers: readonly Caller[];
  /** This process made the proof, so it knows the request's state. */
  readonly isOurs: boolean;
}

/** Which worker, and which of its tokens, a connection was proved by. Opaque; compared, not read. */
export type WorkerProof = string;

export interface OnlineWorker {
  readonly team: string;
  readonly identity: string;
  readonly node: string;
  readonly version: string;
}

/** What a proof says about a request that it came with. */
export interface Behalf {
  /** Users who asked before, the first one first. */
  readonly askers: readonly Asker[];
  readonly callers: readonly Caller[];
  /** Requests from inside jobs, this one included. */
  readonly depth: number;
  /** ms since the epoch: nothing of it lasts longer than what it is a part of. */
  readonly endsAt: number;
}
