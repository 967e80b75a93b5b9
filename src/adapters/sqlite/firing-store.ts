import { type Firing, type FiringId, firstFiringIdAt } from '../../domain/firing.ts';
import { isFinal, type Stage } from '../../domain/outcome.ts';
import type { FiringLog, LoggedFiring } from '../../queue/ports/journal.ts';
import type { Row, Statements } from './statements.ts';

/** The firings side of the journal, in the same database as the jobs. */
export const createFiringStore = (sql: Statements): FiringLog => ({
  find: (id) => {
    const row = sql.one('SELECT * FROM firings WHERE id = ?', id);
    return row === undefined ? undefined : loggedOf(row);
  },
  ofJob: (id) => sql.all('SELECT * FROM firings WHERE job_id = ? ORDER BY seq', id).map(loggedOf),
  unsettledIds: () => sql.all('SELECT id FROM firings WHERE settled = 0 ORDER BY seq').map((row) => String(row['id'])),
  markPublished: (stages) =>
    sql.atomically(() => {
      for (const [id, stage] of Object.entries(stages)) markPublished(sql, id, stage);
    }),
  cursor: () => {
    const row = sql.one("SELECT value FROM meta WHERE key = 'cursor'");
    if (row === undefined) return undefined;
    const { clusterId, revision } = JSON.parse(String(row['value'])) as { clusterId: string; revision: string };
    return { clusterId, revision: BigInt(revision) };
  },
  saveCursor: ({ clusterId, revision }) => {
    const value = JSON.stringify({ clusterId, revision: revision.toString() });
    sql.run("INSERT INTO meta VALUES ('cursor', ?) ON CONFLICT DO UPDATE SET value = excluded.value", value);
  },
  forgetBefore: (at) => sql.atomically(() => forgetBefore(sql, at)),
  forgottenUpTo: () => forgottenUpTo(sql),
});

const markPublished = (sql: Statements, id: FiringId, stage: string): void => {
  const settled = isFinal(stage.split('/')[0] as Stage) ? 1 : 0;
  sql.run('UPDATE firings SET published = ?, settled = ? WHERE id = ?', stage, settled, id);
};

const forgetBefore = (sql: Statements, at: number): number => {
  const which = 'settled = 1 AND received_at < ? AND id < ?';
  const values = [at, firstFiringIdAt(at)];
  const last = sql.one(`SELECT max(id) AS id FROM firings WHERE ${which}`, ...values)?.['id'];
  if (typeof last !== 'string') return 0;
  const before = forgottenUpTo(sql);
  const value = before === null || before < last ? last : before;
  sql.run("INSERT INTO meta VALUES ('forgotten', ?) ON CONFLICT DO UPDATE SET value = excluded.value", value);
  return sql.run(`DELETE FROM firings WHERE ${which}`, ...values).changes;
};

const forgottenUpTo = (sql: Statements): string | null => {
  const row = sql.one("SELECT value FROM meta WHERE key = 'forgotten'");
  return row === undefined ? null : String(row['value']);
};

/** Journals a firing; the caller has made sure that it is not there yet. */
export const insertFiring = (
  sql: Statements,
  entry: { firing: Firing; at: number; jobId: number | null; refusal: string | null },
): void => {
  sql.run(
    'INSERT INTO firings (id, received_at, job_id, refusal, body) VALUES (?, ?, ?, ?, ?)',
    entry.firing.id,
    entry.at,
    entry.jobId,
    entry.refusal,
    JSON.stringify(entry.firing),
  );
};

const loggedOf = (row: Row): LoggedFiring => ({
  firing: JSON.parse(String(row['body'])) as Firing,
  receivedAt: Number(row['received_at']),
  jobId: row['job_id'] === null ? null : Number(row['job_id']),
  refusal: row['refusal'] === null ? null : String(row['refusal']),
  published: row['published'] === null ? null : String(row['published']),
});
