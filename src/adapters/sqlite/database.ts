import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { TriggerdError } from '../../domain/errors.ts';
import { assertLogIsWhole } from './log-damage.ts';
import { migrate } from './migrations.ts';
import { castSqliteError, isBusy, keep, pragma } from './statements.ts';

/**
 * Opens the journal's database for this process alone: the exclusive lock is the kernel's (`fcntl`), so it goes with the
 * process however that ends. Beside it lies `<file>.pid`, only to name the holder to a second daemon.
 *
 * Throws `already-running`, `journal-newer` or `journal-failed`.
 */
export const openDatabase = (file: string): Database.Database => {
  try {
    createPrivate(file);
    assertLogIsWhole(file);
    const db = keep(new Database(file, { timeout: 0 }));
    try {
      prepare(db, file);
    } catch (thrown) {
      db.close();
      throw thrown;
    }
    return db;
  } catch (thrown) {
    throw isBusy(thrown) ? alreadyRunning(file, thrown) : castOpening(thrown, file);
  }
};

/** Closes the database and takes the pid file away. */
export const closeDatabase = (db: Database.Database, file: string): void => {
  rmSync(pidFile(file), { force: true });
  db.close();
};

/** SQLite gives `-wal` the mode of the main file, so creating that one privately is enough. */
const createPrivate = (file: string): void => {
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
};

const prepare = (db: Database.Database, file: string): void => {
  // Before the first access: then WAL needs no shared memory and the lock is held for life.
  pragma(db, 'locking_mode = EXCLUSIVE');
  pragma(db, 'journal_mode = WAL');
  pragma(db, 'synchronous = FULL');
  pragma(db, 'foreign_keys = ON');
  db.exec('BEGIN EXCLUSIVE; COMMIT');
  assertIsSound(db, file);
  migrate(db, file);
  writeFileSync(pidFile(file), `${process.pid}\n`, { mode: 0o600 });
};

/** A damaged page would be met some day, half-way through something: better now. About a millisecond per thousand jobs. */
const assertIsSound = (db: Database.Database, file: string): void => {
  const found = pragma(db, 'quick_check(1)');
  if (found !== 'ok')
    throw new TriggerdError('journal-failed', `${file}: the file is damaged (${found})`, { details: { file } });
};

const pidFile = (file: string): string => `${file}.pid`;

const alreadyRunning = (file: string, cause: unknown): TriggerdError => {
  const pid = holderOf(file);
  const who = pid === undefined ? 'Another triggerd' : `Another triggerd (pid ${pid})`;
  return new TriggerdError('already-running', `${who} uses ${file}`, { cause, details: { file, pid: pid ?? null } });
};

const holderOf = (file: string): number | undefined => {
  try {
    return Number(readFileSync(pidFile(file), 'utf8')) || undefined;
  } catch {
    return undefined;
  }
};

const castOpening = (thrown: unknown, file: string): TriggerdError => {
  const isErrno = thrown instanceof Error && 'syscall' in thrown;
  return isErrno
    ? new TriggerdError('state-unusable', `${file}: ${thrown.message}`, { cause: thrown, details: { file } })
    : castSqliteError(thrown, file);
};
