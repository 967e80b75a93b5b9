import type { OnlineWorker } from '../domain/caller.ts';
import type { RequestRecord } from '../domain/request-record.ts';

/** A worker has connected or is gone: what `show workers` shows as its state. */
export interface WorkerPresence {
  online(worker: OnlineWorker): void;
  offline(team: string, identity: string): void;
}

/** Takes the records of requests that are over; never waits, never throws. Full is counted, and logged. */
export interface HistorySink {
  record(record: RequestRecord): void;
}
