import type { Job } from '../../domain/job.ts';
import type { JobFilter } from '../../queue/ports.ts';
import type { Row, Statements, Values } from './statements.ts';

/**
 * `trigger queue`'s order is three index scans one after the other: ended jobs as they ended, running ones as they
 * started, queued ones as they will start. A page goes on from the place of `afterId`, whatever has happened meanwhile.
 */
interface Part {
  readonly states: readonly Job['state'][];
  readonly where: string;
  /** The columns of the scan's order; the id breaks ties. */
  readonly order: readonly string[];
}

const parts: readonly Part[] = [
  { states: ['finished', 'skipped'], where: 'finished_at IS NOT NULL', order: ['finished_at', 'id'] },
  { states: ['running'], where: "state = 'running'", order: ['started_at', 'id'] },
  { states: ['queued'], where: "state = 'queued'", order: ['queue', 'place', 'id'] },
];

/** Rows of `select` for the filter, at most `filter.limit` of them. */
export const listRows = (sql: Statements, select: string, filter: JobFilter): Row[] => {
  const rows: Row[] = [];
  const last = filter.afterId === undefined ? undefined : sql.one('SELECT * FROM jobs WHERE id = ?', filter.afterId);
  const firstPart = last === undefined ? 0 : parts.findIndex((part) => part.states.some((s) => s === last['state']));
  for (const [index, part] of parts.entries()) {
    const left = (filter.limit ?? Number.MAX_SAFE_INTEGER) - rows.length;
    if (index < firstPart || left <= 0) continue;
    rows.push(...scan(sql, select, part, filter, index === firstPart ? last : undefined).slice(0, left));
  }
  return rows;
};

const scan = (sql: Statements, select: string, part: Part, filter: JobFilter, last: Row | undefined): Row[] => {
  const states = part.states.filter((state) => filter.states === undefined || filter.states.includes(state));
  if (states.length === 0) return [];
  const conditions = [part.where];
  const values: (string | number | null)[] = [];
  const also = (condition: string, ...more: Values): void => {
    conditions.push(condition);
    values.push(...more);
  };
  if (states.length < part.states.length) also('state = ?', ...states);
  if (filter.queue !== undefined) also('queue = ?', filter.queue);
  if (last !== undefined) {
    const place = part.order.map((column) => last[column] as string | number);
    also(`(${part.order.join(', ')}) > (${place.map(() => '?').join(', ')})`, ...place);
  }
  return ordered(sql, `${select} WHERE ${conditions.join(' AND ')}`, values, part, filter);
};

/** The newest ended jobs are found from the end, then turned round. */
const ordered = (sql: Statements, query: string, values: Values, part: Part, filter: JobFilter): Row[] => {
  const fromTheEnd = part.states.includes('finished') && filter.endedLimit !== undefined;
  const limit = (fromTheEnd ? filter.endedLimit : filter.limit) ?? -1;
  const order = part.order.map((column) => (fromTheEnd ? `${column} DESC` : column)).join(', ');
  const rows = sql.all(`${query} ORDER BY ${order} LIMIT ?`, ...values, limit);
  return fromTheEnd ? rows.reverse() : rows;
};
