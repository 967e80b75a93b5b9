import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenJournal, openJournal } from '../../src/adapters/sqlite/open-journal.ts';
import { TriggerdError } from '../../src/domain/errors.ts';
import { jobRequest } from '../support/jobs.ts';
import { temporaryFolder } from '../support/journal.ts';
import { announced } from '../support/random.ts';
import { stateIn } from '../support/state.ts';

const jobs = 300;

/** A journal as it lies after a crash: some of it in the main file, some in the log. */
const crashedJournal = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-damage-'));
  const first = openJournal(stateIn(folder));
  addJobs(first, jobs - 20);
  first.close();
  const second = openJournal(stateIn(folder));
  addJobs(second, 20);
  const crashed = join(folder, 'crashed');
  stateIn(crashed);
  for (const name of ['journal.db', 'journal.db-wal']) copyFileSync(join(folder, name), join(crashed, name));
  second.close();
  return crashed;
};
const addJobs = ({ journal }: OpenJournal, count: number): void => {
  for (let i = 0; i < count; i++)
    journal.add({ request: jobRequest({ payload: 'x'.repeat(500) }), command: 'true', coalescingKey: null, at: i });
};

/** How many jobs are there, or the code by which the journal is refused: when it is opened, not when somebody meets the damage. */
const read = (folder: string): number | string => {
  const opened = open(folder);
  if (typeof opened === 'string') return opened;
  const { length } = opened.journal.list({ endedLimit: 1e6, limit: 1e6 });
  opened.close();
  return length;
};
const open = (folder: string): OpenJournal | string => {
  try {
    return openJournal(stateIn(folder));
  } catch (thrown) {
    return thrown instanceof TriggerdError ? thrown.code : `not ours: ${thrown}`;
  }
};
const damaged = (from: string, file: 'journal.db' | 'journal.db-wal', damage: (path: string) => void): string => {
  const folder = temporaryFolder();
  for (const name of ['journal.db', 'journal.db-wal']) copyFileSync(join(from, name), join(folder, name));
  damage(join(folder, file));
  return folder;
};
const overwrite = (path: string, at: number, bytes: Buffer): void => {
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
};

describe('A8: a journal that is damaged', () => {
  let intact: string;
  let pages: number;
  beforeAll(() => {
    intact = crashedJournal();
    pages = statSync(join(intact, 'journal.db')).size / 4096;
  });
  afterAll(() => rmSync(dirname(intact), { recursive: true, force: true }));

  it('is whole without damage', () => {
    expect(read(damaged(intact, 'journal.db', () => undefined))).toBe(jobs);
  });

  it('is refused by name when the main file is cut short, wherever', () => {
    const random = announced('A8 cut');
    for (let round = 0; round < 12; round++) {
      const length = random.between(1, pages) * 4096 - random.between(0, 2) * random.between(0, 4096);
      expect([length, read(damaged(intact, 'journal.db', (path) => truncateSync(path, length)))]).toEqual([
        length,
        'journal-failed',
      ]);
    }
  });

  it('is refused by name when a page in the middle is zeroed, whichever', () => {
    const found = Array.from({ length: pages }, (_, page) =>
      read(damaged(intact, 'journal.db', (path) => overwrite(path, page * 4096, Buffer.alloc(4096)))),
    );
    // A page that the log holds a newer copy of, or that is free, may be whole all the same; fewer jobs never.
    expect(found.filter((result) => result !== 'journal-failed' && result !== jobs)).toEqual([]);
    expect(found.filter((result) => result === 'journal-failed').length).toBeGreaterThan(pages / 2);
  });

  it('loses a torn end of its log, and nothing before that', () => {
    const wal = join(intact, 'journal.db-wal');
    const size = statSync(wal).size;
    const frame = 4096 + 24;
    for (let cut = 1; cut < frame; cut += 256) {
      const result = read(damaged(intact, 'journal.db-wal', (path) => truncateSync(path, size - cut)));
      expect(result).toBe(jobs - 1);
    }
    expect(readFileSync(wal).length).toBe(size);
  });

  it('is refused by name when it is no journal', () => {
    const folder = damaged(intact, 'journal.db', (path) => writeFileSync(path, 'nothing of the sort'.repeat(500)));
    expect(read(folder)).toBe('journal-failed');
  });
});
