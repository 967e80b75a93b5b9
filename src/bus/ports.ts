import type { ErrorCode } from '../domain/errors.ts';
import type { JobId } from '../domain/job.ts';
import type { JobResult } from '../domain/result.ts';
import type { Algorithm, Retry } from '../domain/service.ts';
import type { BrokerAddress, RequestId } from './messages.ts';

/** A connected peer, as the router names it: an opaque string, unforgeable for the life of the connection. */
export type PeerId = string;

/** One message as the codec gives it: a checked header and a body. */
export interface Message<Head> {
  readonly head: Head;
  readonly body: Buffer;
}

// ── what the broker needs ───────────────────────────────────────────────────────────────────────────────────────────

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

/** A service as the broker has to know it; the registry keeps it current, so each look is a look at this moment. */
export interface ServiceView {
  readonly team: string;
  readonly name: string;
  readonly algorithm: Algorithm;
  readonly retry: Retry;
  /** Null: the request's own, else the broker's default. */
  readonly timeoutMs: number | null;
  /** Identities in the order of their attachment. Of a worker's own service: itself. */
  readonly workers: readonly string[];
  /** It is a worker under its own identity, so there is no algorithm to speak of. */
  readonly isWorker: boolean;
}

/** The registry, read from memory. Nothing waits here; nothing throws but `TriggerdError`. */
export interface BusRegistry {
  /**
   * Who has this token. Undefined: its signature has not been checked here yet; `BusAccounts.admit` does, then ask again.
   * Throws `token-invalid` for one that is over, whose user, membership or team is gone, or that was revoked.
   */
  callerOf(jwt: string): Caller | undefined;
  /**
   * What `name` or `team/name` means for this caller. Throws `service-not-found` also where the caller may not see it: a
   * stranger can't tell the two apart.
   */
  serviceFor(caller: Caller, name: string): ServiceView;
  /** Whether there is such a service. */
  hasService(team: string, name: string): boolean;
  /** Names of the services that a worker is attached to; undefined when there is no such worker. */
  servicesOf(team: string, worker: string): readonly string[] | undefined;
  /** Called after every change, with nothing: look again at what you need. Returns how to stop that. */
  onChange(listener: () => void): () => void;
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
  /** ms since the epoch: when its time is over. */
  readonly endsAt: number;
}

export interface CheckedProof extends ProvenRequest {
  /** Those who asked, with the rights that they have at this moment. */
  readonly callers: readonly Caller[];
  /** It was made by this process, which knows what has become of the request. */
  readonly isOurs: boolean;
}

/** Proofs of who asked for a job, for requests from inside that job. See docs/reference/bus.md. */
export interface BusProofs {
  /** By its numbers. Throws `token-invalid` for one who is gone. */
  askerOf(caller: Caller): Asker;
  /** Undefined while no other broker could check it, and for a worker that is gone. */
  prove(request: ProvenRequest): string | undefined;
  /** Throws `proof-invalid`, for whatever reason with the same message. */
  check(sealed: string): CheckedProof;
}

/** Which worker, and which of its tokens, a connection was proved by. Opaque; compared, not read. */
export type WorkerProof = string;

/** The registry's questions that take time: hashes are checked, etcd is written. */
export interface BusAccounts {
  /** A password for a JWT that lives so long, within limits. Throws `login-failed`, `too-many-attempts`. */
  login(attempt: {
    readonly team: string;
    readonly identity: string;
    readonly secret: string;
    readonly ttlMs?: number;
  }): Promise<{
    readonly jwt: string;
    readonly expiresMs: number;
  }>;
  /**
   * Checks a token that `callerOf` does not know: one of another broker, or one that a person wrote down. Throws
   * `token-invalid`. Tokens of one peer are admitted in the order in which they were asked about.
   */
  admit(jwt: string): Promise<void>;
  /** Throws `worker-refused`. */
  checkWorker(claim: {
    readonly team: string;
    readonly identity: string;
    readonly token: string;
  }): Promise<WorkerProof>;
  /** Whether the token that this worker proved itself by is still the right one: asked after every change. */
  isWorkerCurrent(team: string, identity: string, proof: WorkerProof): boolean;
  /** A statement of the registry (`src/registry/statements.ts`), checked and carried out for this caller. */
  execute(caller: Caller, statement: unknown, seen?: string): Promise<unknown>;
}

/** A worker has connected or is gone: what `show workers` shows as its state. */
export interface WorkerPresence {
  online(worker: OnlineWorker): void;
  offline(team: string, identity: string): void;
}

export interface OnlineWorker {
  readonly team: string;
  readonly identity: string;
  readonly node: string;
  readonly version: string;
}

/** Takes the records of requests that are over; never waits, never throws. Full is counted, and logged. */
export interface HistorySink {
  record(record: RequestRecord): void;
}

/** What the history keeps of a request, in etcd; the whole output is on the worker. */
export interface RequestRecord {
  readonly id: RequestId;
  readonly team: string;
  readonly user: string;
  readonly service: string;
  /** The service's team; another one than the user's when it is public. */
  readonly service_team: string;
  readonly plugin: string;
  /** The beginning of the payload as text, 200 characters at most. */
  readonly command: string;
  readonly received_at: string;
  readonly finished_at: string;
  readonly result: string;
  readonly exit_code: number | null;
  readonly reason: string | null;
  readonly legs: readonly RequestLeg[];
  /** Who asked for it on behalf of `user`, from inside jobs, as `identity@team`; missing: `user` asked. */
  readonly through?: readonly string[] | undefined;
}

export interface RequestLeg {
  readonly worker: string;
  readonly node: string | null;
  /** The worker's own job id: `trigger queue cat ID` there. */
  readonly job_id: JobId | null;
  readonly result: string;
  readonly exit_code: number | null;
  readonly reason: string | null;
  readonly ran_ms: number | null;
  readonly output_bytes: number;
  readonly output_tail: string;
  /** Its bytes, where they are not UTF-8. */
  readonly output_tail_base64?: string | undefined;
}

// ── what clients and workers need ───────────────────────────────────────────────────────────────────────────────────

/**
 * One connection to one broker, which comes and goes by itself until it is closed. Nothing that was given to `send` before
 * a `down` is sent after it.
 */
export interface Connection {
  /** False: not connected, or so much waits already that this one was not taken. */
  send(head: string, body?: Buffer): boolean;
  /** Bytes that wait for the socket; what is large may wait for `onDrained`. */
  readonly queuedBytes: number;
  /** Sends what waits, for a second at most, and is gone. Nothing is called after it has been called. */
  close(): Promise<void>;
}

export interface ConnectionListener {
  /** Encrypted and open: say `hello` or `ready`. The other side knows nothing of an earlier connection. */
  up(): void;
  /** `reason` in words. It tries again by itself; called once for each `up`, and for a first connection that fails. */
  down(reason: string): void;
  /** Another address of the broker is tried, once the one before has had its time: whoever waits for `up` begins anew. */
  attempting?(): void;
  /** One message, as it came: for `decode…` of the codec. Must not throw. */
  message(head: Buffer, body: Buffer): void;
  /** Nothing waits for the socket any more. */
  drained?(): void;
}

export type Connect = (broker: Pick<BrokerAddress, 'endpoint' | 'key'>, listener: ConnectionListener) => Connection;

// ── what the worker needs ───────────────────────────────────────────────────────────────────────────────────────────

/**
 * One worker's part of a request. Mirror and serial send one id to several workers, and one daemon may run several of
 * those. What runs once is all three together: somebody else's request of the same id is another one, so that nobody gets
 * at the output of others by their ids.
 */
export interface RequestRun {
  readonly id: RequestId;
  /** `team/identity` of the worker that it came to. */
  readonly worker: string;
  /** `identity@team`: recorded with the job, never authority. */
  readonly user: string;
}

/** A request as a job: what the broker sent, checked by the worker. */
export interface WorkerRequest extends RequestRun {
  readonly service: string;
  readonly plugin: string;
  readonly args: Readonly<Record<string, string>>;
  readonly payload: Buffer;
  readonly timeoutMs: number | null;
  readonly chain: readonly string[];
  readonly ttl: number;
  /** `identity@team` of those on whose behalf `user` asks. */
  readonly behalf?: readonly string[];
  /** Sealed: what the job may ask others with. Never written to the journal. */
  readonly proof?: string;
}

/** Where the output and the end of a running request go. Never called before the call that it was given to has returned. */
export interface RequestListener {
  /** Output as it comes, from the first byte. Resolves when more may come: a slow reader slows the reading of the file, not the job. */
  output(chunk: { readonly stream: 'out' | 'err'; readonly bytes: Buffer }): Promise<void>;
  /** Exactly once, after the last output. */
  ended(ending: RequestEnding): void;
}

export interface RequestEnding {
  readonly jobId: JobId | null;
  readonly result: JobResult;
  readonly ranMs: number | null;
  readonly outputBytes: number;
  /** The last `historyTailBytes` of it. */
  readonly outputTail: Buffer;
}

/**
 * Requests as jobs of the queue `requests`. An id runs once here for each worker, also after a restart of the daemon, for
 * as long as ids are remembered.
 */
export interface RequestJobs {
  /** Slots that could start a request at once: 0 while the queue is paused or drains. */
  free(): number;
  onFree(listener: () => void): () => void;
  /**
   * Starts it now, or says that no slot is free. A run that is known is not done again: its listener hears the output
   * from the first byte, and the end. Throws `plugin-*`, `request-invalid` for what could never run.
   */
  start(request: WorkerRequest, listener: RequestListener): 'started' | 'known' | 'no-slot';
  /** The listener hears all of it if this was ever started here. */
  follow(run: RequestRun, listener: RequestListener): boolean;
  /** Takes the listener off; the job goes on. */
  unfollow(run: RequestRun, listener: RequestListener): void;
  /** Kills the whole tree: TERM, then KILL. */
  cancel(run: RequestRun, reason: string): void;
  /** What runs now. */
  running(): readonly RequestRun[];
}

/** How a request that could not even be tried is told: as an ending with the code. */
export interface RequestRefusal {
  readonly code: ErrorCode;
  readonly message: string;
}
