import type { RequestId } from './request.ts';

/** Who asks. `role` is that in the team of the token. */
export interface Caller {
  readonly identity: string;
  readonly team: string;
  readonly role: 'member' | 'admin';
  /** Number of the team of the token. */
  readonly teamId: number;
  /** Numbers of the user and of the team that what this user holds counts for (`src/registry/origin.ts`). */
  readonly origin: { readonly user: number; readonly team: number };
  /** By a token that changes no users and teams. */
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
  /** Who asked, the first one first; the last one is the user that the request is of. */
  readonly askers: readonly Asker[];
  /** How many requests from inside jobs led to it. */
  readonly depth: number;
  /** ms since the epoch: when its time has ended. */
  readonly endsAt: number;
}

export interface CheckedProof extends ProvenRequest {
  /** Those who asked, with the rights that they have at this moment. */
  readonly callers: readonly Caller[];
  /** It was made by this process, which knows what has become of the request. */
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
  /** Who asked before, the first one first. */
  readonly askers: readonly Asker[];
  readonly callers: readonly Caller[];
  /** Requests from inside jobs, this one included. */
  readonly depth: number;
  /** ms since the epoch: nothing of it lasts longer than what it is a part of. */
  readonly endsAt: number;
}
