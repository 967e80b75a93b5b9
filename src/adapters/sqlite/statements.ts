import type Database from 'better-sqlite3';
import { keep } from './keep.ts';
import { castSqliteError } from './sqlite-error.ts';

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
