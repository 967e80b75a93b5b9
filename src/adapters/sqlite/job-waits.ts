import { hasEnded, type Job, type JobId, type JobRequest } from '../../domain/job.ts';
import { endInWords } from '../../domain/result.ts';
import type { Journal } from '../../queue/ports/journal.ts';
import type { Statements } from './statements.ts';

/** What queued jobs wait for: other jobs, and a time. */
export interface JobWaits {
  /** Of a job that was just inserted. */
  begin(id: JobId, request: JobRequest): void;
  /** The job has ended: whoever waits for it waits no more, and it waits for nobody. */
  ended(job: Job): void;
  /** Whoever waits for `from` waits for `to`. */
  moveTo(from: JobId, to: JobId): void;
}

export const createJobWaits = (sql: Statements, find: Journal['get']): JobWaits => {
  const insert = (id: JobId, on: JobId, mustSucceed: boolean): void => {
    const job = find(on);
    const over = job === undefined || hasEnded(job);
    const failure = mustSucceed && job !== undefined ? failureText(job) : null;
    sql.run(
      'INSERT OR REPLACE INTO job_waits (job_id, on_id, must_succeed, ended, failure) VALUES (?, ?, ?, ?, ?)',
      ...[id, on, mustSucceed ? 1 : 0, over ? 1 : 0, failure],
    );
  };

  return {
    begin: (id, { after, ifOk = [], notBefore = null }) => {
      if (after === null && ifOk.length === 0 && notBefore === null) return;
      if (after !== null) insert(id, after, false);
      for (const on of ifOk) insert(id, on, true);
      recount(sql, id);
    },
    ended: (job) => {
      sql.run('DELETE FROM job_waits WHERE job_id = ?', job.id);
      const waiters = sql.all('SELECT job_id FROM job_waits WHERE on_id = ? AND ended = 0', job.id);
      if (waiters.length === 0) return;
      sql.run(
        `UPDATE job_waits SET ended = 1, failure = CASE must_succeed WHEN 1 THEN ? END WHERE on_id = ? AND ended = 0`,
        ...[failureText(job), job.id],
      );
      for (const row of waiters) recount(sql, Number(row['job_id']));
    },
    moveTo: (from, to) => {
      sql.run('UPDATE OR REPLACE job_waits SET on_id = ? WHERE on_id = ? AND ended = 0', to, from);
    },
  };
};

const recount = (sql: Statements, id: JobId): void => {
  sql.run(
    `UPDATE jobs SET waiting = (not_before IS NOT NULL) +
       (SELECT count(*) FROM job_waits WHERE job_id = jobs.id AND ended = 0) WHERE id = ?`,
    id,
  );
};

const failureText = (job: Job): string | null => {
  if (job.state === 'skipped') return `job ${job.id} was skipped`;
  const failure = job.state === 'finished' ? endInWords(job.result) : null;
  return failure === null ? null : `job ${job.id} ${failure}`;
};

/** What the queues ask about waiting jobs. */
export const createWaitReader = (
  sql: Statements,
): Pick<Journal, 'hopeless' | 'nextDelayed' | 'releaseDelayed' | 'queuedWithKey'> => ({
  hopeless: (limit) =>
    sql
      .all(
        'SELECT job_id, min(failure) AS failure FROM job_waits WHERE failure IS NOT NULL GROUP BY job_id LIMIT ?',
        limit,
      )
      .map((row) => ({ id: Number(row['job_id']), reason: String(row['failure']) })),
  nextDelayed: () => {
    const at = sql.one('SELECT min(not_before) AS at FROM jobs WHERE not_before IS NOT NULL')?.['at'];
    return typeof at === 'number' ? at : undefined;
  },
  releaseDelayed: (now) =>
    sql.atomically(() => {
      const due = sql.all('SELECT id, queue FROM jobs WHERE not_before IS NOT NULL AND not_before <= ?', now);
      for (const { id } of due) {
        sql.run('UPDATE jobs SET not_before = NULL WHERE id = ?', Number(id));
        recount(sql, Number(id));
      }
      return [...new Set(due.map(({ queue }) => String(queue)))];
    }),
  queuedWithKey: (queue, key) => {
    const row = sql.one(
      `SELECT id FROM jobs WHERE queue = ? AND job_key = ? AND state = 'queued' ORDER BY place, id LIMIT 1`,
      ...[queue, key],
    );
    return row === undefined ? undefined : Number(row['id']);
  },
});
