import { ulid } from 'ulid';
import {
  type ClockMark,
  type MessageSpool,
  messageOverheadBytes,
  type NewMessage,
  type SpooledMessage,
  type TriggerCounts,
  type TriggerOutput,
} from '../../mount/delivery-ports.ts';
import type { TreeSnapshot } from '../../mount/tree.ts';
import type { Row, Statements } from './statements.ts';

/** Outputs kept per trigger. */
const keptOutputs = 20;
/** Dead letters kept per trigger: the newest. */
const keptDead = 1_000;
/** Of all but the last: so many bytes. */
const oldOutputBytes = 4_096;

/** Messages of one team's trigger files, in the journal's database. */
export const createMessageSpool = (sql: Statements, team: string): MessageSpool => ({
  add: (messages) =>
    sql.atomically(() => {
      for (const message of messages) insert(sql, team, message);
      for (const [definition, { n, at }] of hitsOf(messages)) addHits(sql, team, definition, n, at);
    }),
  head: (definition) => {
    const row = sql.one(
      "SELECT * FROM file_messages WHERE team = ? AND definition = ? AND state = 'waiting' ORDER BY seq LIMIT 1",
      ...[team, definition],
    );
    return row === undefined ? undefined : messageOf(row);
  },
  waiting: () =>
    sql
      .all("SELECT DISTINCT definition FROM file_messages WHERE team = ? AND state = 'waiting'", team)
      .map((row) => Number(row['definition'])),
  bytes: (state) =>
    Number(
      sql.one(
        `SELECT coalesce(sum(${size}), 0) AS n FROM file_messages WHERE team = ? AND state = ?`,
        ...[team, state],
      )?.['n'],
    ),
  deliver: (seq, definition, output) =>
    sql.atomically(() => {
      sql.run('DELETE FROM file_messages WHERE seq = ?', seq);
      record(sql, team, definition, output);
    }),
  renew: (seq, id) => void sql.run('UPDATE file_messages SET id = ? WHERE seq = ?', id, seq),
  bury: (seq, definition, reason) =>
    sql.atomically(() => {
      sql.run("UPDATE file_messages SET state = 'dead', reason = ? WHERE seq = ?", reason, seq);
      sql.run(dropOldDead, team, definition, team, definition);
    }),
  revive: (definition, newId, since) =>
    sql.atomically(() => {
      const rows = sql.all(
        `SELECT seq, definition, ${size} AS bytes FROM file_messages WHERE ${deadOf} ORDER BY seq`,
        ...[team, definition ?? null],
      );
      for (const { seq } of rows)
        sql.run(
          "UPDATE file_messages SET state = 'waiting', reason = NULL, id = ?, since = ? WHERE seq = ?",
          ...[newId(), since, Number(seq)],
        );
      return rows.map((row) => ({ definition: Number(row['definition']), bytes: Number(row['bytes']) }));
    }),
  purge: (definition) => sql.run(`DELETE FROM file_messages WHERE ${deadOf}`, team, definition ?? null).changes,
  purgeOldest: (maxBytes) => sql.run(dropOldestDead, team, team, maxBytes).changes,
  record: (ended) =>
    sql.atomically(() => {
      for (const { definition, hitAt, output } of ended) {
        addHits(sql, team, definition, 1, hitAt);
        if (output !== undefined) record(sql, team, definition, output);
      }
    }),
  outputs: (definition) =>
    sql
      .all('SELECT * FROM file_outputs WHERE team = ? AND definition = ? ORDER BY seq DESC', team, definition)
      .map(outputOf),
  counts: () => new Map(sql.all(countsQuery, team).map((row) => [Number(row['definition']), countsOf(row)])),
  hits: () =>
    new Map(
      sql
        .all('SELECT definition, hits, hit_at FROM file_hits WHERE team = ?', team)
        .map((row) => [Number(row['definition']), { count: Number(row['hits']), lastAt: Number(row['hit_at']) }]),
    ),
  counter: () => {
    sql.run("INSERT OR IGNORE INTO meta VALUES ('counter', ?)", ulid());
    return String(sql.one("SELECT value FROM meta WHERE key = 'counter'")?.['value']);
  },
  clockMark: () => {
    const row = sql.one('SELECT value FROM meta WHERE key = ?', `clock ${team}`);
    if (row !== undefined) return JSON.parse(String(row['value'])) as ClockMark;
    const newest = sql.one('SELECT max(since) AS at FROM file_messages WHERE team = ?', team)?.['at'];
    return typeof newest === 'number' ? { own: newest, wall: newest } : undefined;
  },
  keepClockMark: (mark) => {
    sql.run('INSERT OR REPLACE INTO meta VALUES (?, ?)', `clock ${team}`, JSON.stringify(mark));
  },
  saveTree: (tree) => {
    sql.run('INSERT OR REPLACE INTO meta VALUES (?, ?)', `tree ${team}`, JSON.stringify(tree));
  },
  savedTree: () => {
    const row = sql.one('SELECT value FROM meta WHERE key = ?', `tree ${team}`);
    return row === undefined ? undefined : (JSON.parse(String(row['value'])) as TreeSnapshot);
  },
});

const size = `length(payload) + ${messageOverheadBytes}`;
/** Of one trigger; of all where that is NULL. */
const deadOf = "team = ? AND definition = coalesce(?, definition) AND state = 'dead'";
const dead = "team = ? AND definition = ? AND state = 'dead'";
const dropOldDead = `DELETE FROM file_messages WHERE ${dead} AND seq <=
  (SELECT seq FROM file_messages WHERE ${dead} ORDER BY seq DESC LIMIT 1 OFFSET ${keptDead})`;
const dropOldestDead = `DELETE FROM file_messages WHERE team = ? AND state = 'dead' AND seq <=
  (SELECT max(seq) FROM
    (SELECT seq, sum(${size}) OVER (ORDER BY seq DESC) AS from_here FROM file_messages WHERE team = ? AND state = 'dead')
    WHERE from_here > ?)`;

const countsQuery = `
  SELECT definition, hits, hit_at,
    (SELECT count(*) FROM file_messages m WHERE m.team = h.team AND m.definition = h.definition AND state = 'waiting') AS waiting,
    (SELECT count(*) FROM file_messages m WHERE m.team = h.team AND m.definition = h.definition AND state = 'dead') AS dead,
    (SELECT reason FROM file_messages m WHERE m.team = h.team AND m.definition = h.definition AND state = 'dead'
      ORDER BY seq DESC LIMIT 1) AS reason,
    (SELECT length(output) FROM file_outputs o WHERE o.team = h.team AND o.definition = h.definition
      ORDER BY seq DESC LIMIT 1) AS size
  FROM file_hits h WHERE team = ?`;

const insert = (sql: Statements, team: string, message: NewMessage): void => {
  const { id, definition, payload, since } = message;
  sql.run(
    `INSERT INTO file_messages (team, definition, id, payload, since, state)
      VALUES (?, ?, ?, ?, ?, 'waiting')`,
    ...[team, definition, id, payload, since],
  );
};

const hitsOf = (messages: readonly NewMessage[]): ReadonlyMap<number, { n: number; at: number }> => {
  const hits = new Map<number, { n: number; at: number }>();
  for (const { definition, writtenAt } of messages)
    hits.set(definition, { n: (hits.get(definition)?.n ?? 0) + 1, at: writtenAt });
  return hits;
};

const addHits = (sql: Statements, team: string, definition: number, n: number, at: number): void => {
  sql.run(
    `INSERT INTO file_hits VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET hits = hits + excluded.hits, hit_at = excluded.hit_at`,
    ...[team, definition, n, at],
  );
};

/** An empty output comes as NULL: better-sqlite3 binds an empty buffer so. */
const record = (sql: Statements, team: string, definition: number, output: TriggerOutput): void => {
  const of = 'team = ? AND definition = ?';
  const cut = `output = substr(output, 1, ${oldOutputBytes})`;
  sql.run(`UPDATE file_outputs SET ${cut} WHERE ${of} AND length(output) > ${oldOutputBytes}`, team, definition);
  const { lastId } = sql.run(
    `INSERT INTO file_outputs (team, definition, request, ended_at, result, exit_code, reason, worker, output)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, x''))`,
    ...[team, definition, output.request, output.endedAt, output.result, output.exitCode],
    ...[output.reason, output.worker, output.output],
  );
  sql.run(
    `DELETE FROM file_outputs WHERE ${of} AND seq <= (SELECT seq FROM file_outputs WHERE ${of} AND seq <= ?
      ORDER BY seq DESC LIMIT 1 OFFSET ${keptOutputs})`,
    ...[team, definition, team, definition, lastId],
  );
};

const messageOf = (row: Row): SpooledMessage => ({
  seq: Number(row['seq']),
  id: String(row['id']),
  definition: Number(row['definition']),
  payload: row['payload'] as Buffer,
  since: Number(row['since']),
});

const outputOf = (row: Row): TriggerOutput => ({
  request: String(row['request']),
  endedAt: Number(row['ended_at']),
  result: String(row['result']),
  exitCode: row['exit_code'] === null ? null : Number(row['exit_code']),
  reason: row['reason'] === null ? null : String(row['reason']),
  worker: row['worker'] === null ? null : String(row['worker']),
  output: row['output'] as Buffer,
});

const countsOf = (row: Row): TriggerCounts => ({
  hits: Number(row['hits']),
  hitAt: Number(row['hit_at']),
  waiting: Number(row['waiting']),
  dead: Number(row['dead']),
  reason: row['reason'] === null ? null : String(row['reason']),
  size: Number(row['size'] ?? 0),
});
