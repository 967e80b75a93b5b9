import type { Firing, FiringId } from '../../domain/firing.ts';
import type { JobId, QueuedJob } from '../../domain/job.ts';
import type { NewJob } from './new-job.ts';

/** The firings side of the journal. */
export interface FiringLog {
  find(id: FiringId): LoggedFiring | undefined;
  ofJob(id: JobId): LoggedFiring[];
  /** Firings whose last published stage is not final, oldest first. */
  unsettledIds(): FiringId[];
  /** What etcd has by now, all in one transaction: `<stage>/<attempt>` by firing. */
  markPublished(stages: Readonly<Record<FiringId, string>>): void;
  cursor(): Cursor | undefined;
  saveCursor(cursor: Cursor): void;
  /** Forgets settled firings that were received before this time and whose ids are from before it, too; how many. */
  forgetBefore(at: number): number;
  /** The largest id that was ever forgotten; null when none was. */
  forgottenUpTo(): FiringId | null;
}

export interface LoggedFiring {
  readonly firing: Firing;
  readonly receivedAt: number;
  /** Null when this node ended the firing without a job; then `refusal` says why. */
  readonly jobId: JobId | null;
  readonly refusal: string | null;
  /** The stage that etcd has, `<stage>/<attempt>`; null before the first. */
  readonly published: string | null;
}

/** How far this node has read its inbox: the next revision that it still needs, of which cluster. */
export interface Cursor {
  readonly clusterId: string;
  readonly revision: bigint;
}

/** A firing with the job that would satisfy it, or with the reason why this node ends it without one. */
export type DecidedFiring =
  | { readonly firing: Firing; readonly job: NewJob }
  | { readonly firing: Firing; readonly refusal: string; readonly at: number };

/** What became of a decided firing in the journal. */
export type Acceptance =
  | { readonly kind: 'queued'; readonly job: QueuedJob }
  /** Only the id: a job may gather very many firings, and reading it anew with each would make a burst quadratic. */
  | { readonly kind: 'coalesced'; readonly jobId: JobId }
  | { readonly kind: 'refused' }
  | { readonly kind: 'known'; readonly logged: LoggedFiring };
