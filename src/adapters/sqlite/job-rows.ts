import type { Deferral, FinishedJob, Job, JobRequest, QueuedJob, SkippedJob } from '../../domain/job.ts';
import type { Row } from './statements.ts';

/** What the `ending` column holds of an ended job. */
export type StoredEnding = Pick<FinishedJob, 'result' | 'times' | 'details'> | Pick<SkippedJob, 'reason'>;

/** Every column of a job, with the ids of its firings as a JSON array. */
export const selectJobs = `SELECT id, state, attempt, enqueued_at, started_at, finished_at, deferral, ending, request, command,
  output_index IS NOT NULL AS has_output, (
    SELECT json_group_array(id) FROM (SELECT id FROM firings WHERE job_id = jobs.id ORDER BY seq)
  ) AS firing_ids FROM jobs`;

/** A row of `selectJobs` → the job; `folderOf` says where its files lie. */
export const jobOf = (row: Row, folderOf: (id: number) => string): Job => {
  const id = Number(row['id']);
  const common = {
    id,
    request: JSON.parse(text(row['request'])) as JobRequest,
    command: text(row['command']),
    firings: JSON.parse(text(row['firing_ids'])) as string[],
    attempt: Number(row['attempt']),
    folder: folderOf(id),
    ...(row['has_output'] === 1 ? { outputIn: 'journal' as const } : {}),
    enqueuedAt: Number(row['enqueued_at']),
  };
  switch (row['state']) {
    case 'queued':
      return { ...common, state: 'queued', deferral: deferralOf(row['deferral']) } satisfies QueuedJob;
    case 'running':
      return { ...common, state: 'running', startedAt: Number(row['started_at']) };
    case 'finished':
      return {
        ...common,
        state: 'finished',
        startedAt: row['started_at'] === null ? null : Number(row['started_at']),
        finishedAt: Number(row['finished_at']),
        ...(JSON.parse(text(row['ending'])) as Pick<FinishedJob, 'result' | 'times' | 'details'>),
      };
    default:
      return {
        ...common,
        state: 'skipped',
        finishedAt: Number(row['finished_at']),
        ...(JSON.parse(text(row['ending'])) as Pick<SkippedJob, 'reason'>),
      };
  }
};

const text = (value: unknown): string => String(value);
const deferralOf = (value: unknown): Deferral | null =>
  typeof value === 'string' ? (JSON.parse(value) as Deferral) : null;

export const isIn = <S extends Job['state']>(job: Job, state: S): job is Extract<Job, { state: S }> =>
  job.state === state;
