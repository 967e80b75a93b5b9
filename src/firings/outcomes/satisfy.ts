import { TriggerdError } from '../../domain/errors.ts';
import type { Job, JobId, JobTimes, ListedJob, ResultDetails } from '../../domain/job.ts';
import type { FiringLog } from '../../queue/ports/journal.ts';
import type { Queues } from '../../queue/queues.ts';

/** A whole run that triggerd did not start. */
export interface OtherRun {
  /** ms since the epoch. */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  readonly details: ResultDetails;
}

export interface SatisfyOptions {
  readonly queues: Pick<Queues, 'list' | 'get' | 'satisfy'>;
  readonly firings: Pick<FiringLog, 'ofJob'>;
}

/** The rest is looked at only in whole jobs. */
const isPuppetFiring = ({ request }: ListedJob): boolean => request.source === 'firing' && request.plugin === 'puppet';

const noTimes = { userS: 0, systemS: 0 };

/**
 * Ends the queued jobs that this run has made unnecessary; their ids. A run counts only for what was accepted before it
 * began (invariant 2): a job that has gathered a later firing still runs, for all of its firings.
 */
export const satisfyByRun = (
  { queues, firings }: SatisfyOptions,
  run: OtherRun,
  isCovered: (job: Job) => boolean,
): JobId[] => {
  const { startedAt, finishedAt, exitCode, details } = run;
  const times: JobTimes = { ...noTimes, realS: (finishedAt - startedAt) / 1000 };
  const isSatisfied = (id: JobId): boolean => {
    const served = firings.ofJob(id);
    return served.length > 0 && served.every(({ receivedAt }) => receivedAt < startedAt);
  };
  const end = (id: JobId): boolean => {
    try {
      queues.satisfy(id, { startedAt, finishedAt, times, result: { kind: 'succeeded', exitCode }, details });
      return true;
    } catch (error) {
      // Its own turn came first.
      if (error instanceof TriggerdError && error.code === 'job-state') return false;
      throw error;
    }
  };
  return queues
    .list({ states: ['queued'] })
    .filter(isPuppetFiring)
    .map(({ id }) => id)
    .filter((id) => isCovered(queues.get(id)) && isSatisfied(id) && end(id));
};
