import type { Deferral, FinishedJob, Job, JobRequest, QueuedJob, SkippedJob } from '../../domain/job.ts';
import { type JobFilter, listedCommandLength } from '../../queue/ports/journal.ts';
import type { Row, Statements, Values } from './statements.ts';

/** What the `ending` column holds of an ended job. */
export type StoredEnding = Pick<FinishedJob, 'result' | 'times' | 'details'> | Pick<SkippedJob, 'reason'>;

/** Every column of a job, with the ids of its firings as a JSON array. */
export const selectJobs = `SELECT id, state, attempt, enqueued_at, started_at, finished_at, deferral, ending, request, command,
  output_index IS NOT NULL AS has_output, (
    SELECT json_group_array(id) FROM (SELECT id FROM firings WHERE job_id = jobs.id ORDER BY seq)
  ) AS firing_ids FROM jobs`;

/** A row of `selectJobs` → the job; `folderOf` says where its files lie. */
export const jobOf = (row: Row, folderOf: (id: number) => string): Job => {
  const id = Number(row['id']);
  const common = {
    id,
    request: JSON.parse(text(row['request'])) as JobRequest,
    command: text(row['command']),
    firings: JSON.parse(text(row['firing_ids'])) as string[],
    attempt: Number(row['attempt']),
    folder: folderOf(id),
    ...(row['has_output'] === 1 ? { outputIn: 'journal' as const } : {}),
    enqueuedAt: Number(row['enqueued_at']),
  };
  switch (row['state']) {
    case 'queued':
      return { ...common, state: 'queued', deferral: deferralOf(row['deferral']) } satisfies QueuedJob;
    case 'running':
      return { ...common, state: 'running', startedAt: Number(row['started_at']) };
    case 'finished':
      return {
        ...common,
        state: 'finished',
        startedAt: row['started_at'] === null ? null : Number(row['started_at']),
        finishedAt: Number(row['finished_at']),
        ...(JSON.parse(text(row['ending'])) as Pick<FinishedJob, 'result' | 'times' | 'details'>),
      };
    default:
      return {
        ...common,
        state: 'skipped',
        finishedAt: Number(row['finished_at']),
        ...(JSON.parse(text(row['ending'])) as Pick<SkippedJob, 'reason'>),
      };
  }
};

const text = (value: unknown): string => String(value);
const deferralOf = (value: unknown): Deferral | null =>
  typeof value === 'string' ? (JSON.parse(value) as Deferral) : null;

export const isIn = <S extends Job['state']>(job: Job, state: S): job is Extract<Job, { state: S }> =>
  job.state === state;

/** `trigger queue`'s order is three index scans one after the other. */
interface Part {
  readonly states: readonly Job['state'][];
  readonly where: string;
  /** The columns of the scan's order; the id breaks ties. */
  readonly order: readonly string[];
  /** How many there are at most, and whether these are the last ones. */
  readonly limit: (filter: JobFilter) => number | undefined;
  readonly fromTheEnd: boolean;
}

const parts: readonly Part[] = [
  {
    states: ['finished', 'skipped'],
    where: 'finished_at IS NOT NULL',
    order: ['finished_at', 'id'],
    limit: ({ endedLimit }) => endedLimit,
    fromTheEnd: true,
  },
  {
    states: ['running'],
    where: "state = 'running'",
    order: ['started_at', 'id'],
    limit: () => undefined,
    fromTheEnd: false,
  },
  {
    states: ['queued'],
    where: "state = 'queued'",
    order: ['queue', 'place', 'id'],
    limit: ({ queuedLimit }) => queuedLimit,
    fromTheEnd: false,
  },
];

/** A job may have 4 MiB of arguments: a list of many must not read them all into memory. */
const columns = `SELECT id, state, attempt, enqueued_at, started_at, finished_at, deferral, ending,
  output_index IS NOT NULL AS has_output,
  CASE WHEN octet_length(request) > 4096 THEN json_remove(request, '$.argv', '$.args', '$.env', '$.payload')
    ELSE request END AS request,
  CASE WHEN length(command) > ? THEN substr(command, 1, ?) || '…' ELSE command END AS command,
  (SELECT json_group_array(id) FROM (SELECT id FROM firings WHERE job_id = jobs.id ORDER BY seq)) AS firing_ids
  FROM jobs`;

/** Rows of `jobOf` for the filter, but for the parts of the request that may be large. */
export const listRows = (sql: Statements, filter: JobFilter): Row[] =>
  filter.limit === undefined ? parts.flatMap((part) => scan(sql, part, filter)) : page(sql, filter, filter.limit);

/** By id: a job keeps its place in these pages whatever becomes of it between two of them. */
const page = (sql: Statements, filter: JobFilter, limit: number): Row[] => {
  const { afterId, newestFirst = false, states } = filter;
  const where = conditionsOf(filter);
  if (states !== undefined) where.also(`state IN (${states.map(() => '?').join(', ')})`, ...states);
  if (afterId !== undefined) where.also(newestFirst ? 'id < ?' : 'id > ?', afterId);
  return select(sql, where, newestFirst ? 'id DESC' : 'id', limit, filter);
};

const scan = (sql: Statements, part: Part, filter: JobFilter): Row[] => {
  const states = part.states.filter((state) => filter.states === undefined || filter.states.includes(state));
  if (states.length === 0) return [];
  const where = conditionsOf(filter, part.where);
  if (states.length < part.states.length) where.also('state = ?', ...states);
  const limit = part.limit(filter);
  // The newest ended jobs are found from the end, then turned round.
  const turned = part.fromTheEnd && limit !== undefined;
  const order = part.order.map((column) => (turned ? `${column} DESC` : column)).join(', ');
  const rows = select(sql, where, order, limit ?? -1, filter);
  return turned ? rows.reverse() : rows;
};

interface Conditions {
  readonly texts: string[];
  readonly values: Values[number][];
  also(text: string, ...values: Values): void;
}

const conditionsOf = ({ queue }: JobFilter, ...first: string[]): Conditions => {
  const conditions: Conditions = {
    texts: first,
    values: [],
    also: (text, ...values) => {
      conditions.texts.push(text);
      conditions.values.push(...values);
    },
  };
  if (queue !== undefined) conditions.also('queue = ?', queue);
  return conditions;
};

const select = (sql: Statements, where: Conditions, order: string, limit: number, filter: JobFilter): Row[] => {
  const { commandLength = listedCommandLength } = filter;
  const conditions = where.texts.length === 0 ? '' : `WHERE ${where.texts.join(' AND ')}`;
  const query = `${columns} ${conditions} ORDER BY ${order} LIMIT ?`;
  return sql.all(query, commandLength, commandLength, ...where.values, limit);
};
