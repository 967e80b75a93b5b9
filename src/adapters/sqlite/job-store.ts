import { join } from 'node:path';
import { TriggerdError } from '../../domain/errors.ts';
import type { Firing } from '../../domain/firing.ts';
import type { Job, JobId, JobSource, QueuedJob, RunningJob, SkippedJob } from '../../domain/job.ts';
import type { Acceptance, Journal, NewJob } from '../../queue/ports.ts';
import { createFiringStore, insertFiring } from './firing-store.ts';
import { listRows } from './job-list.ts';
import { jobOf, type StoredEnding, selectJobs } from './job-rows.ts';
import type { Statements, Values } from './statements.ts';

/** The jobs side of the journal. `jobsDir` is where the folders of the jobs lie, one per id. */
export const createJobStore = (sql: Statements, jobsDir: string): Journal => {
  const firings = createFiringStore(sql);
  const folderOf = (id: JobId): string => join(jobsDir, String(id));
  const find = (id: JobId): Job | undefined => {
    const row = sql.one(`${selectJobs} WHERE id = ?`, id);
    return row === undefined ? undefined : jobOf(row, folderOf);
  };
  const query = (rest: string, ...values: Values): Job[] =>
    sql.all(`${selectJobs} ${rest}`, ...values).map((row) => jobOf(row, folderOf));

  /** The one way from state to state: nothing changes unless the job is in `from`. */
  const transition = <S extends Job['state']>(
    id: JobId,
    from: Job['state'],
    to: S,
    set: string,
    ...values: Values
  ): Extract<Job, { state: S }> =>
    sql.atomically(() => {
      const { changes } = sql.run(`UPDATE jobs SET ${set} WHERE id = ? AND state = ?`, ...values, id, from);
      const job = find(id);
      if (job === undefined) throw new TriggerdError('job-not-found', `There is no job ${id}.`, { details: { id } });
      if (changes === 0 || !isIn(job, to)) throw notIn(job, from);
      return job;
    });

  const end = <S extends 'finished' | 'skipped'>(
    id: JobId,
    from: Job['state'],
    to: S,
    ending: StoredEnding,
    at: number,
    startedAt: number | null,
  ): Extract<Job, { state: S }> =>
    sql.atomically(() => {
      const set = `state = '${to}', deferral = NULL, waiting = 0, started_at = ?, finished_at = ?, ending = ?`;
      const job = transition(id, from, to, set, startedAt, at, JSON.stringify(ending));
      sql.run('UPDATE jobs SET waiting = 0 WHERE after_id = ? AND waiting = 1', id);
      return job;
    });

  const insert = ({ request, command, coalescingKey, at }: NewJob): QueuedJob => {
    const { lastId } = sql.run(
      `INSERT INTO jobs (queue, state, place, after_id, waiting, coalescing_key, source, request, command, enqueued_at)
       VALUES (?, 'queued', 0, ?, EXISTS (SELECT 1 FROM jobs WHERE id = ? AND state IN ('queued', 'running')), ?, ?, ?, ?, ?)`,
      request.queue,
      request.after,
      request.after,
      coalescingKey,
      request.source,
      JSON.stringify(request),
      command,
      at,
    );
    // Ids only grow, so a job's id is also a place behind all others.
    return request.urgent ? toHead(lastId) : transition(lastId, 'queued', 'queued', 'place = ?', lastId);
  };

  const toHead = (id: JobId): QueuedJob =>
    transition(
      id,
      'queued',
      'queued',
      `place = (SELECT min(other.place) FROM jobs AS other WHERE other.queue = jobs.queue AND other.state = 'queued') - 1`,
    );

  const accept = (firing: Firing, entry: NewJob): Acceptance => {
    const logged = firings.find(firing.id);
    if (logged !== undefined) return { kind: 'known', logged };
    const shared = sql.one(
      `SELECT id FROM jobs WHERE coalescing_key = ? AND state = 'queued' ORDER BY place, id LIMIT 1`,
      entry.coalescingKey,
    );
    const jobId = shared === undefined ? insert(entry).id : Number(shared['id']);
    insertFiring(sql, { firing, at: entry.at, jobId, refusal: null });
    if (shared !== undefined) return { kind: 'coalesced', jobId };
    return { kind: 'queued', job: transition(jobId, 'queued', 'queued', 'place = place') };
  };

  const swap = (a: JobId, b: JobId): void => {
    const [placeA, placeB] = [a, b].map((id) => Number(sql.one('SELECT place FROM jobs WHERE id = ?', id)?.['place']));
    transition(a, 'queued', 'queued', 'place = ?', placeB ?? 0);
    transition(b, 'queued', 'queued', 'place = ?', placeA ?? 0);
  };

  const forget = (ids: readonly JobId[]): Job[] => {
    const jobs = ids.map(find).filter((job): job is Job => job !== undefined && isEnded(job));
    for (const { id } of jobs) {
      sql.run('DELETE FROM jobs WHERE id = ?', id);
      sql.run('INSERT INTO leftovers VALUES (?)', id);
    }
    return jobs;
  };

  return {
    add: (entry) => sql.atomically(() => insert(entry)),
    accept: (firing, entry) => sql.atomically(() => accept(firing, entry)),
    refuse: (firing, refusal, at) =>
      sql.atomically(() => {
        if (firings.find(firing.id) === undefined) insertFiring(sql, { firing, at, jobId: null, refusal });
      }),
    get: find,
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
    defer: (id, deferral) => {
      const from = find(id)?.state === 'running' ? 'running' : 'queued';
      const text = deferral === null ? null : JSON.stringify(deferral);
      return transition(id, from, 'queued', `state = 'queued', started_at = NULL, deferral = ?`, text);
    },
    unstart: (id) => transition(id, 'running', 'queued', `state = 'queued', started_at = NULL, attempt = attempt - 1`),
    skip: (id, reason, at): SkippedJob => end(id, 'queued', 'skipped', { reason }, at, null),
    makeUrgent: (id) => sql.atomically(() => toHead(id)),
    swap: (a, b) => sql.atomically(() => swap(a, b)),
    forgetJobs: (ids) => sql.atomically(() => forget(ids)),
    retirable: ({ keep, endedBefore, limit, queue }) => retirable(sql, keep, endedBefore, limit, queue),
    leftovers: (limit) =>
      sql.all('SELECT job_id FROM leftovers LIMIT ?', limit).map((row) => folderOf(Number(row['job_id']))),
    dropLeftovers: (folders) =>
      sql.atomically(() => {
        for (const folder of folders)
          sql.run('DELETE FROM leftovers WHERE job_id = ?', Number(folder.split('/').at(-1)));
      }),
    queueSettings: (queue) => {
      const row = sql.one('SELECT * FROM queue_settings WHERE queue = ?', queue);
      return { paused: row?.['paused'] === 1, slots: row?.['slots'] == null ? null : Number(row['slots']) };
    },
    saveQueueSettings: (queue, { paused, slots }) => {
      sql.run('INSERT OR REPLACE INTO queue_settings VALUES (?, ?, ?)', queue, paused ? 1 : 0, slots);
    },
  };
};

const isIn = <S extends Job['state']>(job: Job, state: S): job is Extract<Job, { state: S }> => job.state === state;
const isEnded = (job: Job): boolean => job.state === 'finished' || job.state === 'skipped';

const notIn = (job: Job, wanted: Job['state']): TriggerdError =>
  new TriggerdError('job-state', `Job ${job.id} is ${job.state}, not ${wanted}.`, {
    details: { id: job.id, state: job.state, wanted },
  });

const countOf = (sql: Statements, queue: string, state: Job['state'], sources: readonly JobSource[]): number => {
  const rows = sql.all('SELECT source, n FROM counts WHERE queue = ? AND state = ?', queue, state);
  const wanted = rows.filter(({ source }) => sources.length === 0 || sources.some((name) => name === source));
  return wanted.reduce((sum, { n }) => sum + Number(n), 0);
};

/** Ended jobs whose firings etcd knows the end of: the others are still owed an outcome. */
const retirable = (
  sql: Statements,
  keep: number,
  endedBefore: number,
  limit: number,
  queue: string | undefined,
): JobId[] => {
  const ofQueue = queue === undefined ? '' : 'AND queue = ?';
  const values = queue === undefined ? [] : [queue];
  const ended = Number(
    sql.one(
      `SELECT coalesce(sum(n), 0) AS n FROM counts WHERE state IN ('finished', 'skipped') ${ofQueue}`,
      ...values,
    )?.['n'],
  );
  const settled = `NOT EXISTS (SELECT 1 FROM firings WHERE job_id = jobs.id AND settled = 0)`;
  const rows = sql.all(
    `SELECT id, finished_at FROM jobs WHERE finished_at IS NOT NULL ${ofQueue} AND ${settled} ORDER BY finished_at, id LIMIT ?`,
    ...values,
    limit,
  );
  return rows
    .filter(({ finished_at }, index) => index < ended - keep || Number(finished_at) < endedBefore)
    .map(({ id }) => Number(id));
};
