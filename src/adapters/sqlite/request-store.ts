import type { FinishedJob, JobId } from '../../domain/job.ts';
import type { RequestLog, RequestRun } from '../../queue/ports.ts';
import type { Statements } from './statements.ts';

/** The ids of requests, in the same database as the jobs. */
export const createRequestStore = (sql: Statements): RequestLog => ({
  find: (run) => {
    const row = sql.one('SELECT job_id, ending FROM request_ids WHERE key = ?', keyOf(run));
    if (row === undefined) return undefined;
    const ending = row['ending'] === null ? null : (JSON.parse(String(row['ending'])) as FinishedJob);
    return { jobId: Number(row['job_id']), ending };
  },
  forget: ({ keep, before }) => {
    sql.run(
      `DELETE FROM request_ids WHERE ending IS NOT NULL AND job_id < max(
        coalesce((SELECT job_id FROM request_ids ORDER BY job_id DESC LIMIT 1 OFFSET ?), 0) + 1,
        coalesce((SELECT job_id FROM request_ids WHERE at >= ? ORDER BY job_id LIMIT 1),
          (SELECT max(job_id) + 1 FROM request_ids), 0))`,
      keep,
      before,
    );
  },
});

export const insertRequestId = (sql: Statements, jobId: JobId, run: RequestRun, at: number): void => {
  sql.run('INSERT INTO request_ids (job_id, key, at) VALUES (?, ?, ?)', jobId, keyOf(run), at);
};

/** Of a request whose job comes into the journal when it is over. */
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
