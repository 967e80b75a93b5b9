import type { Job, JobId, JobSource } from '../../domain/job.ts';
import type { Journal } from '../../queue/ports/journal.ts';
import { listRows } from './job-list.ts';
import { isIn, jobOf, selectJobs } from './job-rows.ts';
import type { Statements, Values } from './statements.ts';

export type JobReader = Pick<Journal, 'get' | 'list' | 'count' | 'head' | 'queuesInUse' | 'running' | 'deferred'>;

/** What the journal says about jobs. `folderOf` says where a job's files lie. */
export const createJobReader = (sql: Statements, folderOf: (id: JobId) => string): JobReader => {
  const query = (rest: string, ...values: Values): Job[] =>
    sql.all(`${selectJobs} ${rest}`, ...values).map((row) => jobOf(row, folderOf));

  return {
    get: (id) => query('WHERE id = ?', id).at(0),
    list: (filter) => listRows(sql, filter).map((row) => jobOf(row, folderOf)),
    count: (queue, state, sources = []) => countOf(sql, queue, state, sources),
    head: (queue) =>
      query(
        `WHERE queue = ? AND state = 'queued' AND waiting = 0 AND deferral IS NULL ORDER BY place, id LIMIT 1`,
        queue,
      )
        .filter((job) => isIn(job, 'queued'))
        .at(0),
    queuesInUse: () =>
      sql
        .all(`SELECT DISTINCT queue FROM counts WHERE state IN ('queued', 'running') AND n > 0`)
        .map((row) => String(row['queue'])),
    running: () => query(`WHERE state = 'running' ORDER BY started_at, id`).filter((job) => isIn(job, 'running')),
    deferred: () =>
      query(`WHERE state = 'queued' AND deferral IS NOT NULL ORDER BY id`).filter((job) => isIn(job, 'queued')),
  };
};

const countOf = (sql: Statements, queue: string, state: Job['state'], sources: readonly JobSource[]): number => {
  const rows = sql.all('SELECT source, n FROM counts WHERE queue = ? AND state = ?', queue, state);
  const wanted = rows.filter(({ source }) => sources.length === 0 || sources.some((name) => name === source));
  return wanted.reduce((sum, { n }) => sum + Number(n), 0);
};
