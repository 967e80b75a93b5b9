import { hasEnded, type Job, type JobId } from '../../domain/job.ts';
import type { Journal, Retirement } from '../../queue/ports/journal.ts';
import type { Statements } from './statements.ts';

/** How ended jobs leave the journal, and the folders that they leave behind. */
export const createJobForgetting = (
  sql: Statements,
  find: Journal['get'],
  folderOf: (id: JobId) => string,
): Pick<Journal, 'forgetJobs' | 'retirable' | 'leftovers' | 'dropLeftovers'> => {
  const forget = (ids: readonly JobId[]): Job[] => {
    const jobs = ids.map(find).filter((job): job is Job => job !== undefined && hasEnded(job));
    for (const { id } of jobs) {
      sql.run('DELETE FROM jobs WHERE id = ?', id);
      sql.run('INSERT INTO leftovers VALUES (?)', id);
    }
    return jobs;
  };

  return {
    forgetJobs: (ids) => sql.atomically(() => forget(ids)),
    retirable: (which) => retirable(sql, which),
    leftovers: (limit) =>
      sql.all('SELECT job_id FROM leftovers LIMIT ?', limit).map((row) => folderOf(Number(row['job_id']))),
    dropLeftovers: (folders) =>
      sql.atomically(() => {
        for (const folder of folders)
          sql.run('DELETE FROM leftovers WHERE job_id = ?', Number(folder.split('/').at(-1)));
      }),
  };
};

/** Ended jobs whose firings etcd knows the end of: the others are still owed an outcome. */
const retirable = (sql: Statements, { keep, endedBefore, limit, queue, requests }: Retirement): JobId[] => {
  const ofSource = requests === undefined ? '' : `AND source ${requests ? '=' : '<>'} 'request'`;
  const which = `${queue === undefined ? '' : 'AND queue = ?'} ${ofSource}`;
  const values = queue === undefined ? [] : [queue];
  const ended = Number(
    sql.one(`SELECT coalesce(sum(n), 0) AS n FROM counts WHERE state IN ('finished', 'skipped') ${which}`, ...values)?.[
      'n'
    ],
  );
  if (ended === 0) return [];
  const settled = `NOT EXISTS (SELECT 1 FROM firings WHERE job_id = jobs.id AND settled = 0)`;
  const rows = sql.all(
    `SELECT id, finished_at FROM jobs WHERE finished_at IS NOT NULL ${which} AND ${settled} ORDER BY finished_at, id LIMIT ?`,
    ...values,
    limit,
  );
  return rows
    .filter(({ finished_at }, index) => index < ended - keep || Number(finished_at) < endedBefore)
    .map(({ id }) => Number(id));
};
