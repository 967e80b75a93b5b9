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
  /** Malformed messages of this peer. */
  faults: number;
  readonly conduct: Conduct;
}

/** What is remembered of a connection, however often it says `hello` or `ready` anew. */
export interface Conduct {
  /** Logins and statements that are not answered yet. */
  asking: number;
  /** Wrong passwords and tokens that this connection has brought. */
  guesses: Guesses;
  /** Settles when the last login is answered, so that no login overtakes the count of the one before. */
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
  /** Tokens that are being checked, with the messages that wait for the check. */
  readonly admissions: Map<string, Admission>;
  /** Requests that the client waits for. */
  readonly requests: Set<RequestId>;
}

export interface Admission {
  readonly waiting: Unadmitted[];
  /** Size of the bodies of the waiting messages. */
  bytes: number;
}

/** A message whose token is being checked. */
export interface Unadmitted {
  readonly to: AnswerTo;
  readonly bytes: number;
  readonly carryOut: () => void;
}

/** The request or question that an answer is for. */
export type AnswerTo = { readonly id: string } | { readonly n: number } | Record<string, never>;

/** A peer that claims to be a worker. */
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
  /** All requests that were sent to the worker so far. */
  sent: number;
  /** Services that the worker has announced. */
  announced: ReadonlySet<string>;
  /** Plugins whose requests need no proof; undefined: the worker does not know proofs. */
  noProof: ReadonlySet<string> | undefined;
  /** How many lists of services the worker was sent and has not answered with an `announce`. */
  unanswered: number;
  /** Services that the registry attaches the worker to. */
  attached: readonly string[];
  /** `team/name` of all targets whose requests the worker gets: its identity, and services that are both attached and announced. */
  serves: ReadonlySet<string>;
  /** Legs that the worker was sent, or asked about. */
  readonly legs: Map<RequestId, Leg>;
}

/** One handler for each operation of a peer. */
export type Handlers<Message extends { readonly op: string }, Of extends Session> = {
  readonly [Op in Message['op']]: (session: Of, message: Extract<Message, { op: Op }>, body: Buffer) => void;
};

/** Gives a message to its handler. */
export const handle = <Message extends { readonly op: string }, Of extends Session>(
  handlers: Handlers<Message, Of>,
  session: Of,
  message: Message,
  body: Buffer,
): void => {
  const handler = handlers[message.op as Message['op']] as (session: Of, message: Message, body: Buffer) => void;
  handler(session, message, body);
};

export const isConnected = ({ state }: WorkerSession): boolean => state === 'present' || state === 'leaving';

/** All targets that the worker may serve: its identity, and the services that it is attached to. */
export const targetsOf = ({ claim: { team, identity }, attached }: WorkerSession): string[] =>
  [identity, ...attached].map((name) => targetOf(team, name));

export const isSameWorker = (
  a: Pick<WorkerClaim, 'team' | 'identity'>,
  b: Pick<WorkerClaim, 'team' | 'identity'>,
): boolean => a.team === b.team && a.identity === b.identity;

export class Sessions {
  readonly #byPeer = new Map<PeerId, Session>();
  /** By team and identity: one key made of both would have to be made for each message. */
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

  /** Workers whose session has not ended, including workers that are away. */
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
