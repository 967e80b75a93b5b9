import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { createFiringStore } from '../../src/adapters/sqlite/firing-store.ts';
import { createJobStore } from '../../src/adapters/sqlite/job-store.ts';
import { migrate } from '../../src/adapters/sqlite/migrations.ts';
import type { OpenJournal } from '../../src/adapters/sqlite/open-journal.ts';
import { keep, pragma, statementsOf } from '../../src/adapters/sqlite/statements.ts';

/** The real journal's tables and statements in a database in memory, closed after the test. No folder of a job is there. */
export const memoryJournal = (): Pick<OpenJournal, 'journal' | 'firings'> => {
  const file = ':memory:';
  const db = keep(new Database(file));
  pragma(db, 'foreign_keys = ON');
  migrate(db, file);
  onTestFinished(() => void db.close());
  const statements = statementsOf(db, file);
  return { journal: createJobStore(statements, '/jobs'), firings: createFiringStore(statements) };
};
