import type { Refusal, WireOutcome } from '../bus/messages.ts';
import type { Connect } from '../bus/ports.ts';
import type { JobId } from '../domain/job.ts';
import type { RequestId } from '../domain/request.ts';
import type { Log } from '../kit/log.ts';
import type { RequestJobs } from './request-jobs.ts';

/** Who this worker is, and what all of its connections share. */
export interface WorkerIdentity {
  readonly team: string;
  readonly identity: string;
  readonly token: string;
  /** A random string of this process: by it a broker knows the same worker that connects anew from another one. */
  readonly instance: string;
  /** The machine's name, for the broker's tables. */
  readonly node: string;
  readonly version: string;
  readonly jobs: RequestJobs;
  /** Why a request may not start this plugin here; undefined: it may. Throws `plugin-name-invalid`. */
  whyNotAllowed(plugin: string): string | undefined;
  /** Proofs of who asked, for jobs that may ask others. Missing: it takes none. */
  readonly proofs?: WorkerProofs;
  readonly connect: Connect;
  tell(event: WorkerEvent): void;
  readonly log: Log;
}

export interface WorkerProofs {
  /** Plugins whose jobs cannot use a proof, as requests name them. */
  unneeded(): readonly string[];
  /** Seals it with the worker's token: without the seal a proof is worthless. */
  seal(proof: string): string;
}

/** What happens to a worker at a broker, for its log. */
export type WorkerEvent = WorkerNews & { readonly worker: string; readonly endpoint: string };

export type WorkerNews =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected'; readonly broker: string }
  /** One service that it is attached to, told to the broker. */
  | { readonly kind: 'announcing'; readonly service: string }
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly retryMs: number }
  /** `wasServing`: it has been connected until now; else the broker has not answered. */
  | { readonly kind: 'lost'; readonly reason: string; readonly wasServing: boolean }
  /** The broker stops. */
  | { readonly kind: 'goodbye' }
  | { readonly kind: 'left' }
  | RequestNews;

export type RequestNews =
  | {
      readonly kind: 'request';
      readonly id: RequestId;
      readonly service: string;
      readonly plugin: string;
      readonly user: string;
    }
  | { readonly kind: 'answered'; readonly id: RequestId; readonly job: JobId | null; readonly outcome: WireOutcome };
