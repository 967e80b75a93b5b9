import type { PeerId } from '../bus/ports.ts';
import type { BrokerAddress } from '../domain/broker-address.ts';
import type { OnlineWorker } from '../domain/caller.ts';
import type { RequestRecord } from '../domain/request-record.ts';
import type { Log } from '../kit/log.ts';
import type { BusAccounts, BusProofs, BusRegistry } from '../registry/bus-ports.ts';

export interface BrokerOptions {
  /** This broker's id: the node's name. */
  readonly id: string;
  readonly registry: BusRegistry;
  readonly accounts: BusAccounts;
  /** Missing: it makes no proofs and takes none. */
  readonly proofs?: BusProofs;
  readonly presence: WorkerPresence;
  readonly history: HistorySink;
  readonly wire: Wire;
  /** Another broker has this one's id: it takes nothing new, and sends everybody there. Missing: never. */
  readonly isRefused?: () => boolean;
  /** All brokers that are up, this one included. */
  readonly brokers: () => readonly BrokerAddress[];
  readonly limits: BrokerLimits;
  readonly clock: BrokerClock;
  readonly observer: BrokerObserver;
  readonly log: Log;
}

/** Where messages go. Neither waits nor throws; what can't be sent comes back as `Broker.gone`. */
export interface Wire {
  send(peer: PeerId, head: string, body?: Buffer): void;
  /** Calls `act` within a few ms: for what need not be said if something else is to be said by then. */
  soon(act: () => void): void;
  /** What waits for this peer is not sent any more. */
  forget(peer: PeerId): void;
}

/** A worker has connected or is gone: what `show workers` shows as its state. */
export interface WorkerPresence {
  online(worker: OnlineWorker): void;
  offline(team: string, identity: string): void;
}

/** Takes the records of requests that are over; never waits, never throws. Full is counted, and logged. */
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
  /** For requests that name no timeout and whose service has none. */
  readonly timeoutMs: number;
  /** More than this no request has, whatever it names. */
  readonly maxTimeoutMs: number;
  readonly heartbeatMs: number;
}

export interface BrokerClock {
  /** ms, monotonic: deadlines and silences. */
  now(): number;
  /** ms since the epoch: what is written down. */
  date(): number;
}

/** Who looks on: events and metrics. Must not throw. */
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
  /** A message that was none, or none that this peer may send. */
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
