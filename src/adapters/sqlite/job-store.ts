import { join } from 'node:path';
import type { JobId } from '../../domain/job.ts';
import type { Journal } from '../../queue/ports.ts';
import { createFiringStore } from './firing-store.ts';
import { createJobForgetting } from './job-forgetting.ts';
import { createJobPlaces } from './job-places.ts';
import { createJobReader } from './job-reader.ts';
import { createJobTransitions, createTransition } from './job-transitions.ts';
import { createRequestRecords } from './request-records.ts';
import type { Statements } from './statements.ts';

/** The jobs side of the journal. `jobsDir` is where the folders of the jobs lie, one per id. */
export const createJobStore = (sql: Statements, jobsDir: string): Journal => {
  const folderOf = (id: JobId): string => join(jobsDir, String(id));
  const reader = createJobReader(sql, folderOf);
  const transition = createTransition(sql, reader.get);
  return {
    ...reader,
    ...createJobPlaces(sql, createFiringStore(sql), transition),
    ...createJobTransitions(sql, reader.get, transition),
    ...createJobForgetting(sql, reader.get, folderOf),
    ...createQueueSettings(sql),
    ...createRequestRecords(sql),
    folderOf,
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
