import type { Firing } from '../../domain/firing.ts';
import type { JobId, QueuedJob, RunningJob } from '../../domain/job.ts';
import type { Acceptance, DecidedFiring, FiringLog, Journal, NewJob } from '../../queue/ports/journal.ts';
import { insertFiring } from './firing-store.ts';
import type { Transition } from './job-transitions.ts';
import type { JobWaits } from './job-waits.ts';
import { insertRequestId } from './request-store.ts';
import type { Statements } from './statements.ts';

/** How jobs and firings come into the journal, and the places of queued jobs. */
export const createJobPlaces = (
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
