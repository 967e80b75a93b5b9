/**
 * The bus protocol, version 1: what clients, brokers and workers say to each other.
 *
 * Majordomo in spirit (RFC 18: READY, REQUEST, PARTIAL, FINAL, HEARTBEAT, DISCONNECT) with what it lacks: a request id in
 * every message, CANCEL, deadlines, capacity, authentication, and acknowledged output. Clients and workers connect, only
 * brokers listen. A message is a JSON header and a body of raw bytes (empty where none is named below); several messages
 * for one peer may share one frame (`codec/pack.ts`). CURVE encrypts all of it.
 *
 * A connection is who its first accepted message proved it to be. Its routing id is one that libzmq gave (such begin with
 * a zero byte, and no peer can choose one), so it is unforgeable for the life of the connection; after a reconnect
 * everything is proved anew. Times that travel are what is left, in ms, never a date: no two clocks are compared.
 *
 * A request on its way:
 *
 *     client               broker                                  worker
 *     request ───────────► queued for the service
 *             ◄── accepted
 *                          one with capacity ──── request ────────► a slot is free: runs at once
 *             ◄─ dispatched                 ◄──── returned           no slot: given back, had not started
 *             ◄── partial ◄──────────────────────  partial           (both directions of output are acknowledged: `ack`)
 *             ◄── leg, final ◄───────────────────  final
 *
 * Most requests are short, and a message is what they cost. So what one of a few ms has to say travels with its `final`: a
 * worker puts output there that it has not sent when the job ends, and to a client that has not heard yet who has its
 * request `final` says that, too.
 *
 * What was sent to a worker and not returned counts as started: when that worker is lost, only `retry = "always"` gives
 * the request to another one. What waits, waits at the broker, which keeps nothing on disk: a client whose broker is gone
 * asks another one with the same id and `resume`; brokers then ask the workers before anything runs. An id belongs to the
 * user who used it first: nobody else gets at its output, on no broker and on no worker.
 *
 * Whoever hears `reannounce` is not known on this connection (any more): the broker was restarted, or heard nothing for too
 * long. A worker says `ready` again, a client `hello`, and asks again, with `resume`, for what it still waits for.
 */

import type { BrokerAddress } from '../domain/broker-address.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { RequestId } from '../domain/request.ts';
import type { JobResult } from '../domain/result.ts';
import type { Algorithm } from '../domain/service.ts';

export const protocolVersion = 1;

/** Counts a peer's questions that have one answer: login, registry. */
export type Nonce = number;

/** More than any installation has: what brokers tell of has to have an end, for clients and workers. */
export const mostBrokers = 64;

/** Client → broker. `jwt` is what `token` gave; it is looked at in every message that has it. */
export type ClientMessage =
  | { readonly op: 'hello'; readonly v: number }
  /** Body: the password in UTF-8. */
  | {
      readonly op: 'login';
      readonly n: Nonce;
      readonly team: string;
      readonly identity: string;
      /** How long the token should be good for, in ms. Missing: as the broker decides, as brokers of before do always. */
      readonly ttl_ms?: number;
    }
  /** Body: the payload, any bytes. */
  | ({ readonly op: 'request'; readonly jwt: string } & RequestHead & FromJob)
  | { readonly op: 'cancel'; readonly jwt: string; readonly id: RequestId }
  /** Total of bytes of this worker's output that the client has processed. */
  | { readonly op: 'ack'; readonly id: RequestId; readonly worker: string; readonly bytes: number }
  | {
      readonly op: 'registry';
      readonly jwt: string;
      readonly n: Nonce;
      readonly statement: unknown;
      /** The revision of the last answer to it; empty: none yet. Missing: of no interest. */
      readonly seen?: string;
    }
  | { readonly op: 'heartbeat' }
  /** Will not be heard of again: what it asked for runs on. */
  | { readonly op: 'disconnect' };

export interface RequestHead {
  readonly id: RequestId;
  /** `service`, or `team/service` for another team's; a worker's identity is a service. */
  readonly service: string;
  readonly plugin: string;
  readonly args: Readonly<Record<string, string>>;
  /** What is left of the request's time; null: the service's own. */
  readonly timeout_ms: number | null;
  /** Asked of another broker before: nothing of it may run a second time. */
  readonly resume: boolean;
  /** With `resume`: the worker that the client heard of, so that no other one has to be asked. */
  readonly worker: string | null;
  /** The requests and firings that led here, and how many more hops may follow: the loop guard. */
  readonly chain: readonly string[];
  readonly ttl: number;
}

/** What only a request from inside the job of another request has. */
export interface FromJob {
  /**
   * For whom that job runs: the proof that its worker was sent, with the worker's seal. Whoever asked for the job must be
   * allowed to ask for this, too.
   */
  readonly proof?: string;
  /** The machine asks on its own behalf, as the plugin's manifest says, whoever asked for the job. */
  readonly own?: boolean;
}

/** Broker → client. */
export type ToClient =
  | Welcome
  /** Body: the JWT. */
  | { readonly op: 'token'; readonly n: Nonce; readonly expires_ms: number }
  /** `workers`: how many have a part of it each, `mirror` and `serial`. Brokers of before do not say it. */
  | {
      readonly op: 'accepted';
      readonly id: RequestId;
      readonly algorithm: Algorithm | null;
      readonly workers?: number;
    }
  /** `algorithm`, `workers`: there was no `accepted`. */
  | {
      readonly op: 'dispatched';
      readonly id: RequestId;
      readonly worker: string;
      readonly algorithm?: Algorithm | null;
      readonly workers?: number;
    }
  /** Body: output as it came. `offset` counts the bytes of this worker's output before it. */
  | ({ readonly op: 'partial'; readonly worker: string } & PartialHead)
  /** One worker's part is over; of the last one of a request that goes to one worker `final` tells. */
  | ({ readonly op: 'leg'; readonly id: RequestId; readonly worker: string } & WireOutcome)
  /**
   * All of it is over. `exit_code` is that of the request: the first leg's that is not 0, in the order of the workers.
   * `worker`: this is the end of its part, too. `stream`: the body is all of that worker's output. `algorithm`: there was
   * no `accepted`.
   */
  | ({
      readonly op: 'final';
      readonly id: RequestId;
      readonly algorithm?: Algorithm | null;
      readonly worker?: string;
      readonly stream?: OutputStream;
    } & WireOutcome)
  /** Body: the answer as JSON, for it may be long. */
  | { readonly op: 'answer'; readonly n: Nonce }
  /** Instead of an answer; `retry_after_ms` where the same may work later. */
  | ({ readonly op: 'refused'; readonly id?: RequestId; readonly n?: Nonce } & Refusal)
  | { readonly op: 'heartbeat' }
  | { readonly op: 'reannounce' }
  | { readonly op: 'brokers'; readonly brokers: readonly BrokerAddress[] }
  /** The broker stops: ask another one, under the same ids. */
  | Goodbye;

export type OutputStream = 'out' | 'err';

export interface PartialHead {
  readonly id: RequestId;
  readonly stream: OutputStream;
  readonly offset: number;
}

/** How a worker's part ended. A failed job is a value. `reason` says in words what the result does not. */
export interface WireOutcome {
  readonly result: JobResult['kind'] | 'lost' | 'refused';
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
  /** What the worker refused it for. */
  readonly code: ErrorCode | null;
  readonly ran_ms: number | null;
  readonly output_bytes: number;
}

export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retry_after_ms: number | null;
}

export interface Welcome {
  readonly op: 'welcome';
  readonly v: number;
  readonly broker: string;
  /** All that are up, this one included. */
  readonly brokers: readonly BrokerAddress[];
  readonly heartbeat_ms: number;
  /** Largest body, in bytes. */
  readonly max_message: number;
  /** It makes and checks proofs. A broker that does not say so would ignore one, and ask with the rights of the machine. */
  readonly proofs?: boolean;
}

export interface Goodbye {
  readonly op: 'goodbye';
  readonly brokers: readonly BrokerAddress[];
}

/** Worker → broker. */
export type WorkerMessage =
  /**
   * Body: the worker's token. `free` are the slots that could start something now. `instance` is a random string of this
   * process: the same process may connect anew at any time, another one with the same identity only when this one is gone.
   */
  | {
      readonly op: 'ready';
      readonly v: number;
      readonly team: string;
      readonly identity: string;
      readonly instance: string;
      readonly node: string;
      readonly version: string;
      readonly free: number;
    }
  /** After `welcome` and after each `services`: exactly what this worker serves from now on. */
  | {
      readonly op: 'announce';
      readonly services: readonly string[];
      /** It wants proofs, but for requests to these plugins. A worker that does not know them does not say it. */
      readonly no_proof?: readonly string[];
    }
  | ({ readonly op: 'heartbeat' } & Capacity)
  | ({ readonly op: 'credit' } & Capacity)
  /** Body: output. */
  | ({ readonly op: 'partial' } & PartialHead)
  /**
   * Body: with `stream` all of the output, of which nothing was sent before, `maxPartialBytes` at most; else its tail, for
   * the history. `job` is the worker's own job id.
   */
  | ({
      readonly op: 'final';
      readonly id: RequestId;
      readonly job: number | null;
      readonly stream?: OutputStream;
    } & Capacity &
      WireOutcome)
  /** No slot was free: it has not started and never will. */
  | { readonly op: 'returned'; readonly id: RequestId; readonly free: number }
  /** The answer to `query`. With `known`, output from the first byte and the final follow. */
  | { readonly op: 'known'; readonly id: RequestId; readonly known: boolean }
  /** Finishes what runs and takes nothing new; `disconnect` when nothing runs any more. */
  | { readonly op: 'leaving' }
  | { readonly op: 'disconnect' };

/**
 * What a worker could start now. `seen` counts the requests that had come to it by then, since `welcome`: what was sent
 * and not seen yet takes slots of `free`.
 */
export interface Capacity {
  readonly free: number;
  readonly seen: number;
}

/** What a worker is told of a request besides what was asked. */
export interface ForWorker {
  /** `identity@team` of those on whose behalf `user` asks, the first one first; missing: `user` asks for itself. */
  readonly behalf?: readonly string[];
  /** For requests from inside its job: worth something only with this worker's seal, and while the request lives. */
  readonly proof?: string;
}

/** Broker → worker. */
export type ToWorker =
  | (Welcome & { readonly services: readonly string[] })
  /** The registry has changed: announce anew. */
  | { readonly op: 'services'; readonly services: readonly string[] }
  | { readonly op: 'brokers'; readonly brokers: readonly BrokerAddress[] }
  /** Body: the payload. */
  | ({ readonly op: 'request'; readonly user: string; readonly team: string } & Omit<RequestHead, 'resume' | 'worker'> &
      ForWorker)
  | { readonly op: 'cancel'; readonly id: RequestId; readonly reason: string }
  | { readonly op: 'ack'; readonly id: RequestId; readonly bytes: number }
  /** Whether it has ever started this one for this user; if so, it goes on with it for this broker. */
  | { readonly op: 'query'; readonly id: RequestId; readonly user: string; readonly team: string }
  | { readonly op: 'heartbeat' }
  /** The broker does not know this worker (any more): it must send `ready` again. */
  | { readonly op: 'reannounce' }
  /** Token wrong or revoked, identity in use: connecting again at once will not help. */
  | ({ readonly op: 'refused' } & Refusal)
  | Goodbye;

/** Output that may be on its way without an acknowledgement, per request and worker. */
export const outputWindowBytes = 1_048_576;

/** One partial's body at most. */
export const maxPartialBytes = 65_536;

/** What a final carries of the output for the history. */
export const historyTailBytes = 1_024;
