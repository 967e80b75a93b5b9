import type { PeerId } from '../bus/ports.ts';
import type { BrokerAddress } from '../domain/broker-address.ts';
import type { OnlineWorker } from '../domain/caller.ts';
import type { RequestRecord } from '../domain/request-record.ts';
import type { Log } from '../kit/log.ts';
import type { BusAccounts, BusProofs, BusRegistry } from '../registry/bus-registry.ts';

export interface BrokerOptions {
  /** This broker's id: the node's name. */
  readonly id: string;
  readonly registry: BusRegistry;
  readonly accounts: BusAccounts;
  /** Missing: the broker makes and accepts no proofs. */
  readonly proofs?: BusProofs;
  readonly presence: WorkerPresence;
  readonly history: HistorySink;
  readonly wire: Wire;
  /** Another broker holds this one's ID: this one accepts nothing new, and sends all peers there. Missing: never. */
  readonly isRefused?: () => boolean;
  /** All brokers that are up, this one included. */
  readonly brokers: () => readonly BrokerAddress[];
  readonly limits: BrokerLimits;
  readonly clock: BrokerClock;
  readonly observer: BrokerObserver;
  readonly log: Log;
}

/** Sends messages to peers. No method waits or throws; a message that cannot be sent is reported to `Broker.gone`. */
export interface Wire {
  send(peer: PeerId, head: string, body?: Buffer): void;
  /** Calls `act` within a few ms: for messages that another message may make needless by then. */
  soon(act: () => void): void;
  /** Drops messages that wait for this peer. */
  forget(peer: PeerId): void;
}

/** Records which workers are connected: the state that `show workers` shows. */
export interface WorkerPresence {
  online(worker: OnlineWorker): void;
  offline(team: string, identity: string): void;
}

/** Takes records of finished requests. Never waits or throws; records that it drops are counted and logged. */
export interface HistorySink {
  record(record: RequestRecord): void;
}

export interface BrokerLimits {
  /** Largest payload, in bytes. */
  readonly maxMessage: number;
  /** Requests that wait for one service, or for one worker of a serial or mirrored one. */
  readonly maxQueued: number;
  /** Requests of one user, waiting and running; also of all users who come from one. */
  readonly maxRequests: number;
  /** Timeout of requests that name none and whose service has none. */
  readonly timeoutMs: number;
  /** Longest timeout, whatever a request names. */
  readonly maxTimeoutMs: number;
  readonly heartbeatMs: number;
}

export interface BrokerClock {
  /** ms, monotonic: for deadlines and liveness. */
  now(): number;
  /** ms since the epoch: for records. */
  date(): number;
}

/** Receives what events and metrics show. Must not throw. */
export interface BrokerObserver {
  requestReceived(request: { readonly id: string; readonly user: string; readonly service: string }): void;
  requestFinished(record: RequestRecord): void;
  workerOnline(worker: { readonly team: string; readonly identity: string; readonly node: string }): void;
  workerOffline(worker: {
    readonly team: string;
    readonly identity: string;
    readonly node: string;
    readonly reason: string;
  }): void;
  /** A malformed message, or one that this peer may not send. */
  malformed(): void;
  refused(code: string): void;
}

/** A peer that is silent for so many heartbeats is gone. */
export const livenessHeartbeats = 4;
/** How long a worker may take, after a request's deadline, to say how it ended. ms. */
export const deadlineGraceMs = 15_000;
/** Hops of a chain of requests at most. */
export const maxHops = 8;
/** Payloads and arguments that are held for requests that are not over, in bytes and in all; whose they are: `request-quota.ts`. */
export const maxHeldBytes = 536_870_912;
/** Connected peers that are known at the same time. */
export const maxSessions = 50_000;
