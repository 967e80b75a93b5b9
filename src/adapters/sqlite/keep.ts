import type Database from 'better-sqlite3';

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
