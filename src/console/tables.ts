/** What the console shows of what the registry answers. */
import type { LiveRequest } from '../domain/live-request.ts';
import { nameSeenBy } from '../domain/names.ts';
import type { RequestRecord } from '../domain/request-record.ts';
import type { Answer } from '../registry/statements.ts';
import { type Row, renderRecord, renderTable } from './table.ts';

interface Shape {
  /** The columns of the table; also the keys of `--json`. */
  readonly table: readonly string[];
  /** What `show` of a single one has besides. */
  readonly more: readonly string[];
  /** By which it is named. */
  readonly names: readonly string[];
}

const common = ['owner', 'created', 'updated'] as const;

const shapes: Readonly<Record<Answer['kind'], Shape>> = {
  worker: { table: ['id', 'identity', 'description', 'state', 'token', ...common], more: [], names: ['identity'] },
  service: {
    table: ['id', 'name', 'description', 'timeout', 'algorithm', 'triggers', 'workers', 'visibility', ...common],
    more: ['retry'],
    names: ['name'],
  },
  definition: {
    table: ['id', 'name', 'description', 'plugin', 'hits', 'owner', 'visibility', 'created', 'updated'],
    more: [
      ...['path', 'service', 'args', 'timeout', 'framing', 'delivery', 'durable', 'max_message', 'deadline'],
      ...['partial', 'mode'],
    ],
    names: ['name', 'path'],
  },
  directory: { table: ['id', 'path', 'description', 'mode', ...common], more: [], names: ['path'] },
  team: { table: ['id', 'name', 'description', 'members', 'invited', ...common, 'state'], more: [], names: ['name'] },
  user: {
    table: ['id', 'identity', 'description', 'role', 'state', 'home', 'created', 'updated'],
    more: [],
    names: ['identity'],
  },
  request: {
    table: ['received', 'id', 'state', 'user', 'service', 'plugin', 'command', 'workers', 'bytes'],
    more: ['team', 'service_team', 'expires', 'broker'],
    names: ['id'],
  },
  history: {
    table: ['received', 'id', 'user', 'service', 'plugin', 'command', 'workers', 'result', 'exit_code'],
    more: ['service_team', 'finished', 'reason', 'output'],
    names: ['id'],
  },
};

export const isKind = (value: unknown): value is Answer['kind'] =>
  typeof value === 'string' && Object.hasOwn(shapes, value);

/** The rows of an answer as the tables have them. */
export const rowsOf = ({ kind, rows }: Answer): Row[] => {
  if (kind === 'history') return rows.map((each) => historyRow(each as Partial<RequestRecord>));
  return kind === 'request' ? rows.map((each) => liveRow(each as Partial<LiveRequest>)) : (rows as Row[]);
};

const liveRow = (request: Partial<LiveRequest>): Row => ({
  ...request,
  received: request.received_at,
  expires: request.expires_at,
});

/** What it is called by: a path where it has one. */
export const nameOf = (kind: Answer['kind'], row: Row): string => String(row[shapes[kind].names.at(-1) ?? '']);

/** Those of this name; all for null. */
export const rowsNamed = (kind: Answer['kind'], rows: readonly Row[], name: string | null): readonly Row[] =>
  name === null ? rows : rows.filter((row) => shapes[kind].names.some((key) => row[key] === name));

/** A table of all, or all about one, for a terminal that is `columns` wide (null: no terminal). */
export const renderRows = (
  kind: Answer['kind'],
  rows: readonly Row[],
  { single, columns }: { readonly single: boolean; readonly columns: number | null },
): string => {
  const { table, more } = shapes[kind];
  if (!single) return renderTable(table, rows, columns);
  return rows.map((row) => renderRecord([...table, ...more], row, columns)).join('\n\n');
};

/** What `--json` prints: an object per row, its keys the columns. */
export const documentsOf = (kind: Answer['kind'], rows: readonly Row[], single: boolean): Row[] => {
  const { table, more } = shapes[kind];
  const keys = single ? [...table, ...more] : table;
  return rows.map((row) => Object.fromEntries(keys.map((key) => [key, row[key] ?? null])));
};

/** A request with the parts of its workers in columns of their own; what is another team's keeps the name of its team. */
const historyRow = (record: Partial<RequestRecord>): Row => {
  const legs = Array.isArray(record.legs) ? (record.legs as RequestRecord['legs']) : [];
  const { team, service_team: of = team } = record;
  const nameOf = (name: string | undefined): string | undefined =>
    name === undefined || team === undefined || of === undefined ? name : nameSeenBy(team, of, name);
  return {
    ...record,
    service: nameOf(record.service),
    received: record.received_at,
    finished: record.finished_at,
    workers: legs.map((leg) => nameOf(leg?.worker)),
    output: legs.map((leg) => leg?.output_tail),
  };
};
