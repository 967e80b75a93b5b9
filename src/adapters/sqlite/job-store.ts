import { join } from 'node:path';
import type { JobId } from '../../domain/job.ts';
import type { Journal } from '../../queue/ports/journal.ts';
import { createFiringStore } from './firing-store.ts';
import { createJobForgetting } from './job-forgetting.ts';
import { createJobPlaces } from './job-places.ts';
import { createJobReader } from './job-reader.ts';
import { createJobTransitions, createTransition } from './job-transitions.ts';
import { createJobWaits, createWaitReader } from './job-waits.ts';
import { createRequestRecords } from './request-records.ts';
import type { Statements } from './statements.ts';

/** The jobs side of the journal. `jobsDir` is where the folders of the jobs lie, one per id. */
export const createJobStore = (sql: Statements, jobsDir: string): Journal => {
  const folderOf = (id: JobId): string => join(jobsDir, String(id));
  const reader = createJobReader(sql, folderOf);
  const transition = createTransition(sql, reader.get);
  const waits = createJobWaits(sql, reader.get);
  const transitions = createJobTransitions(sql, reader.get, transition, waits);
  return {
    ...reader,
    ...createWaitReader(sql),
    ...createJobPlaces(sql, createFiringStore(sql), transition, waits, transitions.skip),
    ...transitions,
    ...createJobForgetting(sql, reader.get, folderOf),
    ...createQueueSettings(sql),
    ...createNotes(sql),
    ...createRequestRecords(sql),
    folderOf,
    atomically: (work) => sql.atomically(work),
  };
};

const createQueueSettings = (sql: Statements): Pick<Journal, 'queueSettings' | 'saveQueueSettings'> => ({
  queueSettings: (queue) => {
    const row = sql.one('SELECT * FROM queue_settings WHERE queue = ?', queue);
    return { paused: row?.['paused'] === 1, slots: row?.['slots'] == null ? null : Number(row['slots']) };
  },
  saveQueueSettings: (queue, { paused, slots }) => {
    sql.run('INSERT OR REPLACE INTO queue_settings VALUES (?, ?, ?)', queue, paused ? 1 : 0, slots);
  },
});

const createNotes = (sql: Statements): Pick<Journal, 'note' | 'saveNote'> => ({
  note: (name) => {
    const value = sql.one('SELECT value FROM meta WHERE key = ?', `note:${name}`)?.['value'];
    return typeof value === 'string' ? value : undefined;
  },
  saveNote: (name, text) => {
    sql.run(
      'INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      ...[`note:${name}`, text],
    );
  },
});
