import type { FinishedJob, JobId } from '../../domain/job.ts';
import type { RequestRun } from '../../domain/request.ts';
import type { RequestLog } from '../../queue/ports/request-log.ts';
import type { Statements } from './statements.ts';

/** The ids of requests, in the same database as the jobs. */
export const createRequestStore = (sql: Statements): RequestLog => ({
  find: (run) => {
    const row = sql.one('SELECT job_id, ending FROM request_ids WHERE key = ?', keyOf(run));
    if (row === undefined) return undefined;
    const ending = row['ending'] === null ? null : (JSON.parse(String(row['ending'])) as FinishedJob);
    return { jobId: Number(row['job_id']), ending };
  },
});

/** How many later jobs push an id out: at 10,000 requests a second, 20 s; what is asked again, is so within seconds. */
const rememberedJobs = 200_000;

export const forgetRequests = (sql: Statements, at: number): void => {
  const young = sql.one('SELECT job_id FROM request_ids WHERE at >= ? ORDER BY job_id LIMIT 1', at);
  const newest = Number(sql.one('SELECT max(job_id) AS id FROM request_ids')?.['id'] ?? 0);
  dropIds(sql, Math.max(Number(young?.['job_id'] ?? newest + 1), newest - rememberedJobs));
};

/** As cheap as what there is to delete. */
export const forgetPushedOut = (sql: Statements, newest: JobId): void => dropIds(sql, newest - rememberedJobs);

const dropIds = (sql: Statements, before: JobId): void => {
  sql.run('DELETE FROM request_ids WHERE job_id < ? AND ending IS NOT NULL', before);
};

export const insertRequestId = (sql: Statements, jobId: JobId, run: RequestRun, at: number): void => {
  sql.run('INSERT INTO request_ids (job_id, key, at) VALUES (?, ?, ?)', jobId, keyOf(run), at);
};

/** Of a request whose job comes into the journal when it has ended. */
export const insertEndedRequestId = (
  sql: Statements,
  { id, request: { origin }, enqueuedAt, result, times }: FinishedJob,
): void => {
  if (origin === undefined) return;
  const ending = JSON.stringify({ result, times });
  sql.run('INSERT INTO request_ids VALUES (?, ?, ?, ?)', id, keyOf(origin), enqueuedAt, ending);
};

/** No name has a slash, and `worker` has one. */
const keyOf = ({ id, worker, user }: RequestRun): string => `${worker}/${user}/${id}`;
