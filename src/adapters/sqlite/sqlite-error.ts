import Database from 'better-sqlite3';
import { TriggerdError } from '../../domain/errors.ts';

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
