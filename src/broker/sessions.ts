import type { WorkerMessage } from '../bus/messages.ts';
import type { PeerId } from '../bus/ports.ts';
import type { WorkerProof } from '../domain/caller.ts';
import { asTriggerdError, type ErrorCode } from '../domain/errors.ts';
import { assertMayGuess, type Guesses, guessed, noGuesses } from '../domain/guesses.ts';
import type { RequestId } from '../domain/request.ts';
import { targetOf } from '../domain/target.ts';
import type { Clock } from '../kit/clock.ts';
import type { Leg } from './request.ts';

/**
 * Who is connected. A peer has a session from its `hello` or `ready` on. Whoever says `ready` is a newcomer until
 * `WorkerAdmission` lets it in as a worker:
 *
 *     admitted ► present ── says that it leaves ──► leaving
 *                   │                                  │
 *                   │ its connection is lost           │ its connection is lost
 *                   ▼                                  ▼
 *                 away                               left
 *
 * Each of these is *ended* by a goodbye, by a silence of four heartbeats or by a broken rule. A process that comes back in
 * time gets a new session, which takes over what the one before had.
 */
export type Session = ClientSession | NewcomerSession | WorkerSession;

interface SessionCommon {
  peer: PeerId;
  /** Monotonic ms. */
  heardAt: number;
  /** Monotonic ms of the next sign of life from here. */
  beatAt: number;
  /** Messages of it that were none. */
  faults: number;
  readonly conduct: Conduct;
}

/** What is remembered of a connection, however often it says `hello` or `ready` anew. */
export interface Conduct {
  /** Questions that are not answered yet. */
  asking: number;
  /** Its wrong passwords and tokens. */
  guesses: Guesses;
  /** Settles when its last login is answered: none overtakes the count of the one before. */
  logins: Promise<unknown>;
}

/**
 * A check of a password or a token, counted when it fails with `wrong`. Throws `too-many-attempts` for a connection that
 * has brought too many wrong ones, before this one is looked at.
 */
export const guess = async <Checked>(
  conduct: Conduct,
  clock: Clock,
  wrong: ErrorCode,
  check: () => Promise<Checked>,
): Promise<Checked> => {
  assertMayGuess(conduct.guesses, clock.now());
  try {
    const checked = await check();
    conduct.guesses = noGuesses;
    return checked;
  } catch (error) {
    if (asTriggerdError(error).code === wrong) conduct.guesses = guessed(conduct.guesses, clock.now());
    throw error;
  }
};

export const newConduct = (): Conduct => ({ asking: 0, guesses: noGuesses, logins: Promise.resolve() });

export interface ClientSession extends SessionCommon {
  readonly kind: 'client';
  /** Tokens that are looked at, with what came with them. */
  readonly admissions: Map<string, Admission>;
  /** Requests that it waits for. */
  readonly requests: Set<RequestId>;
}

export interface Admission {
  readonly waiting: Unadmitted[];
  /** Of their bodies. */
  bytes: number;
}

/** A message whose token is looked at. */
export interface Unadmitted {
  readonly to: AnswerTo;
  readonly bytes: number;
  readonly carryOut: () => void;
}

/** What an answer answers. */
export type AnswerTo = { readonly id: string } | { readonly n: number } | Record<string, never>;

/** Says it is a worker. */
export interface NewcomerSession extends SessionCommon {
  readonly kind: 'newcomer';
  readonly claim: WorkerClaim;
  state:
    | { readonly kind: 'proving' }
    | { readonly kind: 'refused' }
    | { readonly kind: 'contending'; readonly until: number; readonly proof: WorkerProof };
}

export type WorkerClaim = Omit<Extract<WorkerMessage, { op: 'ready' }>, 'op' | 'v'>;

export interface WorkerSession extends SessionCommon {
  readonly kind: 'worker';
  readonly claim: WorkerClaim;
  readonly proof: WorkerProof;
  state: 'present' | 'leaving' | 'away' | 'left' | 'ended';
  free: number;
  /** Requests that it was sent, in all. */
  sent: number;
  /** What it has announced. */
  announced: ReadonlySet<string>;
  /** It wants proofs, but for requests to these plugins; undefined: it does not know them. */
  noProof: ReadonlySet<string> | undefined;
  /** How often it was told what it is attached to and has not announced anything since. */
  unanswered: number;
  /** What the registry says that it is attached to. */
  attached: readonly string[];
  /** `team/name` of everything that it gets requests of: itself, and what it is attached to and has announced. */
  serves: ReadonlySet<string>;
  /** What it was sent, or asked about. */
  readonly legs: Map<RequestId, Leg>;
}

export const isConnected = ({ state }: WorkerSession): boolean => state === 'present' || state === 'leaving';

/** All that it may serve: itself, and what it is attached to. */
export const targetsOf = ({ claim: { team, identity }, attached }: WorkerSession): string[] =>
  [identity, ...attached].map((name) => targetOf(team, name));

export const isSameWorker = (
  a: Pick<WorkerClaim, 'team' | 'identity'>,
  b: Pick<WorkerClaim, 'team' | 'identity'>,
): boolean => a.team === b.team && a.identity === b.identity;

export class Sessions {
  readonly #byPeer = new Map<PeerId, Session>();
  /** By team and identity: a key made of both would be made with each message. */
  readonly #workers = new Map<string, Map<string, WorkerSession>>();

  get size(): number {
    return this.#byPeer.size;
  }

  of(peer: PeerId): Session | undefined {
    return this.#byPeer.get(peer);
  }

  all(): IterableIterator<Session> {
    return this.#byPeer.values();
  }

  /** Workers that are not ended, also those that are away. */
  *workers(): Generator<WorkerSession> {
    for (const ofTeam of this.#workers.values()) yield* ofTeam.values();
  }

  worker(team: string, identity: string): WorkerSession | undefined {
    return this.#workers.get(team)?.get(identity);
  }

  add(session: Session): void {
    this.#byPeer.set(session.peer, session);
    if (session.kind !== 'worker') return;
    const { team, identity } = session.claim;
    const ofTeam = this.#workers.get(team);
    if (ofTeam === undefined) this.#workers.set(team, new Map([[identity, session]]));
    else ofTeam.set(identity, session);
  }

  remove(session: Session): void {
    if (this.#byPeer.get(session.peer) === session) this.#byPeer.delete(session.peer);
    if (session.kind !== 'worker') return;
    const { team, identity } = session.claim;
    const ofTeam = this.#workers.get(team);
    if (ofTeam?.get(identity) !== session) return;
    ofTeam.delete(identity);
    if (ofTeam.size === 0) this.#workers.delete(team);
  }
}
