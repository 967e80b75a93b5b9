import type { FinishedJob, JobId } from '../../domain/job.ts';
import type { RequestRun } from '../../domain/request.ts';
import type { EndedRecord, Journal, RecordedOutput, RequestLog } from '../../queue/ports/journal.ts';
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

const forgetRequests = (sql: Statements, at: number): void => {
  const young = sql.one('SELECT job_id FROM request_ids WHERE at >= ? ORDER BY job_id LIMIT 1', at);
  const newest = Number(sql.one('SELECT max(job_id) AS id FROM request_ids')?.['id'] ?? 0);
  dropIds(sql, Math.max(Number(young?.['job_id'] ?? newest + 1), newest - rememberedJobs));
};

/** As cheap as what there is to delete. */
const forgetPushedOut = (sql: Statements, newest: JobId): void => dropIds(sql, newest - rememberedJobs);

const dropIds = (sql: Statements, before: JobId): void => {
  sql.run('DELETE FROM request_ids WHERE job_id < ? AND ending IS NOT NULL', before);
};

export const insertRequestId = (sql: Statements, jobId: JobId, run: RequestRun, at: number): void => {
  sql.run('INSERT INTO request_ids (job_id, key, at) VALUES (?, ?, ?)', jobId, keyOf(run), at);
};

/** Of a request whose job comes into the journal when it has ended. */
const insertEndedRequestId = (
  sql: Statements,
  { id, request: { origin }, enqueuedAt, result, times }: FinishedJob,
): void => {
  if (origin === undefined) return;
  const ending = JSON.stringify({ result, times });
  sql.run('INSERT INTO request_ids VALUES (?, ?, ?, ?)', id, keyOf(origin), enqueuedAt, ending);
};

/** No name has a slash, and `worker` has one. */
const keyOf = ({ id, worker, user }: RequestRun): string => `${worker}/${user}/${id}`;

/** How requests that ran in memory come into the journal: many at once, and already over. */
export const createRequestRecords = (
  sql: Statements,
): Pick<Journal, 'reserveIds' | 'record' | 'recordedOutput' | 'forgetRequests'> => {
  let uncounted = 0;

  /** Counting costs as much as there is to count, so it is done for every tenth part that came in. */
  const dropBeyond = (keep: number): void => {
    if (uncounted <= keep / 10) return;
    uncounted = 0;
    const kept = Number(sql.one('SELECT count(*) AS n FROM jobs WHERE output_index IS NOT NULL')?.['n']);
    const oldest = 'SELECT id FROM jobs WHERE output_index IS NOT NULL ORDER BY id LIMIT ?';
    if (kept > keep) sql.run(`DELETE FROM jobs WHERE id IN (${oldest})`, kept - keep);
  };

  const record: Journal['record'] = (ended, { keep, whole }) => {
    for (const { job } of ended) insertEndedRequestId(sql, job);
    forgetPushedOut(sql, ended[0]?.job.id ?? 0);
    const fitting = ended.slice(Math.max(0, ended.length - Math.min(keep, whole)));
    for (const each of fitting) insert(sql, each);
    uncounted += fitting.length;
    dropBeyond(keep);
  };

  return {
    reserveIds: (count) => sql.atomically(() => reserveIds(sql, count)),
    record: (ended, limits) => sql.atomically(() => record(ended, limits)),
    forgetRequests: (at) => sql.atomically(() => forgetRequests(sql, at)),
    recordedOutput: (id) => recordedOutput(sql, id),
  };
};

/** AUTOINCREMENT gives only ids beyond what stands here. */
const reserveIds = (sql: Statements, count: number): JobId => {
  const last = Number(sql.one("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'")?.['seq'] ?? 0);
  if (last === 0)
    sql.run(
      "INSERT INTO sqlite_sequence SELECT 'jobs', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'jobs')",
    );
  sql.run("UPDATE sqlite_sequence SET seq = ? WHERE name = 'jobs'", last + count);
  return last + 1;
};

const insert = (sql: Statements, { job, output }: EndedRecord): void => {
  const { id, request, command, attempt, enqueuedAt, startedAt, finishedAt, result, times, details } = job;
  sql.run(
    `INSERT INTO jobs (id, queue, state, place, source, request, command, attempt, enqueued_at, started_at, finished_at,
       ending, output, output_index)
     VALUES (?, ?, 'finished', 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    request.queue,
    request.source,
    JSON.stringify(request),
    command,
    attempt,
    enqueuedAt,
    startedAt,
    finishedAt,
    JSON.stringify({ result, times, details }),
    output?.bytes ?? null,
    output === null ? null : JSON.stringify(output.index),
  );
};

const recordedOutput = (sql: Statements, id: JobId): RecordedOutput | undefined => {
  const row = sql.one('SELECT output, output_index FROM jobs WHERE id = ? AND output_index IS NOT NULL', id);
  if (row === undefined) return undefined;
  return { bytes: row['output'] as Buffer, index: JSON.parse(String(row['output_index'])) as RecordedOutput['index'] };
};
