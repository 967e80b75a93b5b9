import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type OpenJournal, openJournal } from '../../src/adapters/sqlite/open-journal.ts';

import { stateIn } from './state.ts';

/** A folder that goes away with the test; below `/dev/shm` where the disk is not what is tested. */
export const temporaryFolder = (below = tmpdir()): string => {
  const folder = mkdtempSync(join(below, 'triggerd-spec-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 10 }));
  return folder;
};

/** A real journal in a temporary folder, closed after the test. */
export const temporaryJournal = (folder = temporaryFolder()): OpenJournal => {
  const journal = openJournal(stateIn(folder));
  onTestFinished(() => journal.close());
  return journal;
};
