/**
 * What a target says about one firing. Stages in order: `owed` (in etcd, nothing heard yet) → `queued` → `running` →
 * `finished`; `deferred` is still owed, `skipped` ends it without a run. One vocabulary for firings and messages.
 */

import type { Tail } from '../kit/text-or-bytes.ts';
import type { FiringId } from './firing.ts';
import type { FinishedJob, Job } from './job.ts';
import { ownExitCode, type ResultKind, reasonOf } from './result.ts';

export type Stage = 'owed' | 'queued' | 'running' | 'deferred' | 'finished' | 'skipped';

export interface Outcome {
  readonly firing: FiringId;
  readonly node: string;
  readonly stage: Stage;
  readonly result: ResultKind | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
  readonly jobId: number | null;
  readonly attempt: number;
  /** ms since the epoch, the target's clock. */
  readonly queuedAt: number | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly durationMs: number | null;
  /** How far the publisher's clock is from the target's, when that is more than 30 s. */
  readonly clockSkewMs: number | null;
  readonly details: Readonly<Record<string, unknown>>;
  /** At most the last 4 KiB. */
  readonly outputTail: string | null;
  /** Bytes of the tail, where it is not UTF-8. */
  readonly outputTailBase64?: string;
}

/** Other firings that an outcome names at most. */
const maxShared = 20;

export const isFinal = (stage: Stage): boolean => stage === 'finished' || stage === 'skipped';

/** Whether a final outcome counts as success for `trigger fire --wait`. */
export const endedWell = (outcome: Pick<Outcome, 'stage' | 'result'>): boolean =>
  outcome.stage === 'finished' && outcome.result === 'succeeded';

/** The outcome of a firing on this node that a job's present state means. */
export const outcomeOfJob = (job: Job, firing: FiringId, node: string, tail: Tail | null): Outcome => {
  const base = {
    ...owedOutcome(firing, node),
    jobId: job.id,
    attempt: job.attempt,
    queuedAt: job.enqueuedAt,
  };
  switch (job.state) {
    case 'queued':
      return job.deferral === null
        ? { ...base, stage: 'queued' }
        : { ...base, stage: 'deferred', reason: job.deferral.reason };
    case 'running':
      return { ...base, stage: 'running', startedAt: job.startedAt, details: sharedRun(job) };
    case 'skipped':
      return { ...base, stage: 'skipped', reason: job.reason, finishedAt: job.finishedAt };
    case 'finished':
      return { ...base, ...finishedFields(job), ...tailFields(tail) };
  }
};

const tailFields = (tail: Tail | null): Pick<Outcome, 'outputTail' | 'outputTailBase64'> => ({
  outputTail: tail?.text ?? null,
  ...(tail?.base64 === undefined ? {} : { outputTailBase64: tail.base64 }),
});

/** A firing that this node ends without a job. */
export const skippedOutcome = (firing: FiringId, node: string, reason: string, at: number): Outcome => ({
  ...owedOutcome(firing, node),
  stage: 'skipped',
  reason,
  finishedAt: at,
});

const finishedFields = (job: FinishedJob) => ({
  stage: 'finished' as const,
  result: job.result.kind,
  exitCode: ownExitCode(job.result),
  signal: job.result.kind === 'killed' ? job.result.signal : null,
  reason: reasonOf(job.result),
  startedAt: job.startedAt,
  finishedAt: job.finishedAt,
  durationMs: job.startedAt === null ? null : Math.round(job.times.realS * 1000),
  details: { ...job.details, ...sharedRun(job) },
});

/** The newest of the firings that one run satisfies, so that each one's outcome leads to the others. */
const sharedRun = ({ firings }: Pick<Job, 'firings'>): Outcome['details'] =>
  firings.length < 2 ? {} : { shared: { firings: firings.slice(-maxShared), total: firings.length } };

/** A target that has said nothing about a firing yet. */
export const owedOutcome = (firing: FiringId, node: string): Outcome => ({
  firing,
  node,
  stage: 'owed',
  result: null,
  exitCode: null,
  signal: null,
  reason: null,
  jobId: null,
  attempt: 0,
  queuedAt: null,
  startedAt: null,
  finishedAt: null,
  durationMs: null,
  clockSkewMs: null,
  details: {},
  outputTail: null,
});
