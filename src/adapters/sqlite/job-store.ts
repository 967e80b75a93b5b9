import { join } from 'node:path';
import type { Firing } from '../../domain/firing.ts';
import { hasEnded, type Job, type JobId, type JobSource, type QueuedJob, type RunningJob } from '../../domain/job.ts';
import type { Acceptance, DecidedFiring, FiringLog, Journal, NewJob, Retirement } from '../../queue/ports/journal.ts';
import { createFiringStore, insertFiring } from './firing-store.ts';
import { isIn, jobOf, listRows, selectJobs } from './job-rows.ts';
import { createJobTransitions, createTransition, type Transition } from './job-transitions.ts';
import { createJobWaits, createWaitReader, type JobWaits } from './job-waits.ts';
import { createRequestRecords, insertRequestId } from './request-store.ts';
import type { Statements, Values } from './statements.ts';

/** The jobs side of the journal. `jobsDir` is where the folders of the jobs lie, one per id. */
export const createJobStore = (sql: Statements, jobsDir: string): Journal => {
  const folderOf = (id: JobId): string => join(jobsDir, String(id));
  const reader = createJobReader(sql, folderOf);
  const transition = createTransition(sql, reader.get);
  const waits = createJobWaits(sql, reader.get);
  const transitions = createJobTransitions(sql, reader.get, transition, waits);
  return {
    ...reader,
    ...createWaitReader(sql),
    ...createJobPlaces(sql, createFiringStore(sql), transition, waits, transitions.skip),
    ...transitions,
    ...createJobForgetting(sql, reader.get, folderOf),
    ...createQueueSettings(sql),
    ...createNotes(sql),
    ...createRequestRecords(sql),
    folderOf,
    atomically: (work) => sql.atomically(work),
  };
};

const createQueueSettings = (sql: Statements): Pick<Journal, 'queueSettings' | 'saveQueueSettings'> => ({
  queueSettings: (queue) => {
    const row = sql.one('SELECT * FROM queue_settings WHERE queue = ?', queue);
    return { paused: row?.['paused'] === 1, slots: row?.['slots'] == null ? null : Number(row['slots']) };
  },
  saveQueueSettings: (queue, { paused, slots }) => {
    sql.run('INSERT OR REPLACE INTO queue_settings VALUES (?, ?, ?)', queue, paused ? 1 : 0, slots);
  },
});

const createNotes = (sql: Statements): Pick<Journal, 'note' | 'saveNote'> => ({
  note: (name) => {
    const value = sql.one('SELECT value FROM meta WHERE key = ?', `note:${name}`)?.['value'];
    return typeof value === 'string' ? value : undefined;
  },
  saveNote: (name, text) => {
    sql.run(
      'INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      ...[`note:${name}`, text],
    );
  },
});

type JobReader = Pick<Journal, 'get' | 'list' | 'count' | 'head' | 'queuesInUse' | 'running' | 'deferred'>;

/** What the journal says about jobs. `folderOf` says where a job's files lie. */
const createJobReader = (sql: Statements, folderOf: (id: JobId) => string): JobReader => {
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

/** How ended jobs leave the journal, and the folders that they leave behind. */
const createJobForgetting = (
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

/** How jobs and firings come into the journal, and the places of queued jobs. */
const createJobPlaces = (
  sql: Statements,
  firings: Pick<FiringLog, 'find'>,
  transition: Transition,
  waits: JobWaits,
  skip: Journal['skip'],
): Pick<Journal, 'add' | 'begin' | 'take' | 'makeUrgent' | 'replace' | 'swap'> => {
  const insert = (entry: NewJob): QueuedJob => {
    const id = insertRow(sql, entry);
    waits.begin(id, entry.request);
    // Ids only grow, so a job's id is also a place behind all others.
    return entry.request.urgent ? toHead(id) : transition(id, 'queued', 'queued', 'place = ?', id);
  };

  const begin = (entry: NewJob): RunningJob => {
    const id = insertRow(sql, entry);
    if (entry.request.origin !== undefined) insertRequestId(sql, id, entry.request.origin, entry.at);
    return transition(
      id,
      'queued',
      'running',
      `state = 'running', place = ?, attempt = 1, started_at = ?`,
      id,
      entry.at,
    );
  };

  const toHead = (id: JobId): QueuedJob =>
    transition(
      id,
      'queued',
      'queued',
      `place = (SELECT min(other.place) FROM jobs AS other WHERE other.queue = jobs.queue AND other.state = 'queued') - 1`,
    );

  const take = (decided: DecidedFiring): Acceptance => {
    const { firing } = decided;
    const logged = firings.find(firing.id);
    if (logged !== undefined) return { kind: 'known', logged };
    if ('job' in decided) return accept(firing, decided.job);
    insertFiring(sql, { firing, at: decided.at, jobId: null, refusal: decided.refusal });
    return { kind: 'refused' };
  };

  const accept = (firing: Firing, entry: NewJob): Acceptance => {
    const shared = sql.one(
      `SELECT id FROM jobs WHERE coalescing_key = ? AND state = 'queued' ORDER BY place, id LIMIT 1`,
      entry.coalescingKey,
    );
    const jobId = shared === undefined ? insert(entry).id : Number(shared['id']);
    insertFiring(sql, { firing, at: entry.at, jobId, refusal: null });
    if (shared !== undefined) return { kind: 'coalesced', jobId };
    return { kind: 'queued', job: transition(jobId, 'queued', 'queued', 'place = place') };
  };

  /** Dependents are moved before the old job's end, so that they wait for the new one. */
  const replace: Journal['replace'] = (old, entry) => {
    const { id } = insert(entry);
    waits.moveTo(old, id);
    const place = entry.request.urgent ? 'place' : '(SELECT other.place FROM jobs AS other WHERE other.id = ?)';
    const job = transition(id, 'queued', 'queued', `place = ${place}`, ...(entry.request.urgent ? [] : [old]));
    return { job, replaced: skip(old, `replaced by job ${id}`, entry.at) };
  };

  const swap = (a: JobId, b: JobId): void => {
    const [placeA, placeB] = [a, b].map((id) => Number(sql.one('SELECT place FROM jobs WHERE id = ?', id)?.['place']));
    transition(a, 'queued', 'queued', 'place = ?', placeB ?? 0);
    transition(b, 'queued', 'queued', 'place = ?', placeA ?? 0);
  };

  return {
    begin: (entry) => sql.atomically(() => begin(entry)),
    add: (entry) => sql.atomically(() => insert(entry)),
    take: (decided) => sql.atomically(() => decided.map(take)),
    replace: (old, entry) => sql.atomically(() => replace(old, entry)),
    makeUrgent: (id) => sql.atomically(() => toHead(id)),
    swap: (a, b) => sql.atomically(() => swap(a, b)),
  };
};

const insertRow = (sql: Statements, { request, command, coalescingKey, at }: NewJob): JobId =>
  sql.run(
    `INSERT INTO jobs (queue, state, place, not_before, job_key, coalescing_key, source, request, command, enqueued_at)
     VALUES (?, 'queued', 0, ?, ?, ?, ?, ?, ?, ?)`,
    request.queue,
    request.notBefore ?? null,
    request.key ?? null,
    coalescingKey,
    request.source,
    JSON.stringify(request),
    command,
    at,
  ).lastId;
