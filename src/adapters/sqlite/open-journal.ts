import type { MessageSpool } from '../../mount/delivery-ports.ts';
import type { FiringLog, Journal, RequestLog } from '../../queue/ports/journal.ts';
import { closeDatabase, openDatabase } from './database.ts';
import { createFiringStore } from './firing-store.ts';
import { createJobStore } from './job-store.ts';
import { createMessageSpool } from './message-spool.ts';
import { createRequestStore } from './request-store.ts';
import { statementsOf } from './statements.ts';

export interface JournalOptions {
  /** The database file; its folder exists and belongs to us. */
  readonly file: string;
  /** Where the folders of the jobs lie: `<jobsDir>/<id>`. */
  readonly jobsDir: string;
}

export interface OpenJournal {
  readonly journal: Journal;
  readonly firings: FiringLog;
  readonly requests: RequestLog;
  /** Messages of this team's trigger files. */
  fileMessages(team: string): MessageSpool;
  /** Lets the next daemon in. Nothing may be called afterwards. */
  close(): void;
}

/**
 * Opens (and makes or migrates) the journal of this node; it is ours alone until `close` or our death.
 * Throws `already-running` (naming the pid), `journal-newer`, `state-unusable` or `journal-failed`.
 */
export const openJournal = ({ file, jobsDir }: JournalOptions): OpenJournal => {
  const db = openDatabase(file);
  const statements = statementsOf(db, file);
  return {
    journal: createJobStore(statements, jobsDir),
    firings: createFiringStore(statements),
    requests: createRequestStore(statements),
    fileMessages: (team) => createMessageSpool(statements, team),
    close: () => closeDatabase(db, file),
  };
};
