import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalOptions } from '../../src/adapters/sqlite/open-journal.ts';

/** The state folder of a node, as the daemon lays it out. */
export const stateIn = (folder: string): JournalOptions => {
  const jobsDir = join(folder, 'jobs');
  mkdirSync(jobsDir, { recursive: true });
  return { file: join(folder, 'journal.db'), jobsDir };
};
