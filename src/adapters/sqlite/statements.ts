import Database from 'better-sqlite3';
import { TriggerdError } from '../../domain/errors.ts';

export type Row = Readonly<Record<string, unknown>>;
export type Values = readonly (string | number | null | Uint8Array)[];

/**
 * The journal's way to SQLite: prepared statements cached by their text, foreign errors cast, transactions.
 * A write outside `atomically` is a transaction of its own; either way it is on disk when the call returns.
 */
export interface Statements {
  run(sql: string, ...values: Values): { readonly changes: number; readonly lastId: number };
  one(sql: string, ...values: Values): Row | undefined;
  all(sql: string, ...values: Values): Row[];
  atomically<T>(work: () => T): T;
}

export const statementsOf = (db: Database.Database, file: string): Statements => {
  const cache = new Map<string, Database.Statement>();
  const prepared = (sql: string): Database.Statement => {
    const known = cache.get(sql);
    if (known !== undefined) return known;
    const made = keep(db.prepare(sql));
    cache.set(sql, made);
    return made;
  };
  // One for all: to make one takes as long as a statement.
  const transaction = db.transaction((work: () => unknown) => work());
  const casting = <T>(work: () => T): T => {
    try {
      return work();
    } catch (thrown) {
      throw castSqliteError(thrown, file);
    }
  };
  return {
    run: (sql, ...values) =>
      casting(() => {
        const { changes, lastInsertRowid } = prepared(sql).run(...values);
        return { changes, lastId: Number(lastInsertRowid) };
      }),
    one: (sql, ...values) => casting(() => prepared(sql).get(...values) as Row | undefined),
    all: (sql, ...values) => casting(() => prepared(sql).all(...values) as Row[]),
    atomically: <T>(work: () => T) => casting(() => (db.inTransaction ? work() : (transaction.immediate(work) as T))),
  };
};

/** SQLite's primary result codes in words that a person can act on. */
const meanings: Readonly<Record<string, string>> = {
  SQLITE_FULL: 'the file system is full',
  SQLITE_BUSY: 'another process holds the lock',
  SQLITE_CORRUPT: 'the file is damaged',
  SQLITE_NOTADB: 'the file is not a journal',
  SQLITE_READONLY: 'the file cannot be written',
  SQLITE_CANTOPEN: 'the file cannot be opened',
  SQLITE_IOERR: 'the disk reported an error',
};

/** Anything SQLite throws → `journal-failed` naming the file and what is wrong with it; our own errors pass. */
export const castSqliteError = (thrown: unknown, file: string): TriggerdError => {
  if (thrown instanceof TriggerdError) return thrown;
  const code = sqliteCode(thrown);
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const meaning = Object.entries(meanings).find(([primary]) => code.startsWith(primary))?.[1];
  return new TriggerdError('journal-failed', `${file}: ${meaning === undefined ? text : `${meaning} (${text})`}`, {
    cause: thrown,
    details: { file, sqlite: code },
  });
};

export const isBusy = (thrown: unknown): boolean => sqliteCode(thrown).startsWith('SQLITE_BUSY');

const sqliteCode = (thrown: unknown): string => (thrown instanceof Database.SqliteError ? thrown.code : 'unknown');

/**
 * Node 24.19 and newer abort when an object of better-sqlite3 12 is garbage-collected outside of JavaScript ("env !=
 * nullptr" in RemoveEnvironmentCleanupHook; better-sqlite3 13 is free of that, and needs Node 22). So none of them ever
 * is: there is one journal per process, with a fixed set of statements.
 */
const kept = new Set<object>();

export const keep = <T extends object>(object: T): T => {
  kept.add(object);
  return object;
};

/** Like `db.pragma`, which would leave its statement to the garbage collector. Gives the first column of the first row. */
export const pragma = (db: Database.Database, source: string): unknown => {
  const statement = keep(db.prepare(`PRAGMA ${source}`));
  return statement.reader ? statement.pluck().get() : statement.run();
};
