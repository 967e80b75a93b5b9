import { TriggerdError } from '../../domain/errors.ts';
import type { Job, JobId, RunningJob, SkippedJob } from '../../domain/job.ts';
import type { Journal } from '../../queue/ports/journal.ts';
import { isIn, type StoredEnding } from './job-rows.ts';
import type { JobWaits } from './job-waits.ts';
import type { Statements, Values } from './statements.ts';

/** The one way from state to state: nothing changes unless the job is in `from`. */
export type Transition = <S extends Job['state']>(
  id: JobId,
  from: Job['state'],
  to: S,
  set: string,
  ...values: Values
) => Extract<Job, { state: S }>;

export const createTransition =
  (sql: Statements, find: Journal['get']): Transition =>
  (id, from, to, set, ...values) =>
    sql.atomically(() => {
      const { changes } = sql.run(`UPDATE jobs SET ${set} WHERE id = ? AND state = ?`, ...values, id, from);
      const job = find(id);
      if (job === undefined) throw new TriggerdError('job-not-found', `there is no job ${id}`, { details: { id } });
      if (changes === 0 || !isIn(job, to)) throw notIn(job, from);
      return job;
    });

/** A job's way through its states. */
export const createJobTransitions = (
  sql: Statements,
  find: Journal['get'],
  transition: Transition,
  waits: JobWaits,
): Pick<Journal, 'start' | 'finish' | 'satisfy' | 'defer' | 'unstart' | 'skip'> => {
  const end = <S extends 'finished' | 'skipped'>(
    id: JobId,
    from: Job['state'],
    to: S,
    ending: StoredEnding,
    at: number,
    startedAt: number | null,
  ): Extract<Job, { state: S }> =>
    sql.atomically(() => {
      const set = `state = '${to}', deferral = NULL, waiting = 0, not_before = NULL, started_at = ?, finished_at = ?, ending = ?`;
      const job = transition(id, from, to, set, startedAt, at, JSON.stringify(ending));
      waits.ended(job);
      return job;
    });

  return {
    start: (id, at): RunningJob =>
      transition(
        id,
        'queued',
        'running',
        `state = 'running', deferral = NULL, attempt = attempt + 1, started_at = ?`,
        at,
      ),
    finish: (id, { finishedAt, startedAt, result, times, details }) =>
      end(id, 'running', 'finished', { result, times, details }, finishedAt, startedAt),
    satisfy: (id, { finishedAt, startedAt, result, times, details }) =>
      end(id, 'queued', 'finished', { result, times, details }, finishedAt, startedAt),
    defer: (id, deferral) => {
      const from = find(id)?.state === 'running' ? 'running' : 'queued';
      const text = deferral === null ? null : JSON.stringify(deferral);
      return transition(id, from, 'queued', `state = 'queued', started_at = NULL, deferral = ?`, text);
    },
    unstart: (id) => transition(id, 'running', 'queued', `state = 'queued', started_at = NULL, attempt = attempt - 1`),
    skip: (id, reason, at): SkippedJob => end(id, 'queued', 'skipped', { reason }, at, null),
  };
};

const notIn = (job: Job, wanted: Job['state']): TriggerdError =>
  new TriggerdError('job-state', `job ${job.id} is ${job.state}, not ${wanted}`, {
    details: { id: job.id, state: job.state, wanted },
  });
