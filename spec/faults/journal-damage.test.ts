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
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { assertLogIsWhole, type OpenJournal, openJournal } from '../../src/adapters/sqlite/open-journal.ts';
import { keep } from '../../src/adapters/sqlite/statements.ts';
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

const frame = 4096 + 24;
const flip = (path: string, at: number): void =>
  overwrite(path, at, Buffer.from([(readFileSync(path)[at] ?? 0) ^ 0x40]));
/** Where the transactions of a log end. */
const commitsOf = (wal: string): number[] => {
  const bytes = readFileSync(wal);
  const ends: number[] = [];
  for (let at = 32; at < bytes.length; at += frame) if (bytes.readUInt32BE(at + 4) !== 0) ends.push(at + frame);
  return ends;
};
const refusal = (folder: string): string => {
  try {
    openJournal(stateIn(folder)).close();
    return '';
  } catch (thrown) {
    return (thrown as Error).message;
  }
};

describe('A8: a journal that is damaged', () => {
  let intact: string;
  let pages: number;
  beforeAll(() => {
    intact = crashedJournal();
    pages = statSync(join(intact, 'journal.db')).size / 4096;
  });
  afterAll(() => rmSync(dirname(intact), { recursive: true, force: true }));

  it('A8: an undamaged journal opens without a loss', () => {
    expect(read(damaged(intact, 'journal.db', () => undefined))).toBe(jobs);
  });

  it('A8: a journal cut short anywhere in its main file is refused by name', () => {
    const random = announced('A8 cut');
    for (let round = 0; round < 12; round++) {
      const length = random.between(1, pages) * 4096 - random.between(0, 2) * random.between(0, 4096);
      expect([length, read(damaged(intact, 'journal.db', (path) => truncateSync(path, length)))]).toEqual([
        length,
        'journal-failed',
      ]);
    }
  });

  it('A8: a journal with any page in the middle zeroed is refused by name', () => {
    const found = Array.from({ length: pages }, (_, page) =>
      read(damaged(intact, 'journal.db', (path) => overwrite(path, page * 4096, Buffer.alloc(4096)))),
    );
    // A page that the log holds a newer copy of, or that is free, may be whole all the same; fewer jobs never.
    expect(found.filter((result) => result !== 'journal-failed' && result !== jobs)).toEqual([]);
    expect(found.filter((result) => result === 'journal-failed').length).toBeGreaterThan(pages / 2);
  });

  it('A8: a journal with a torn end of its log loses that end only', () => {
    const wal = join(intact, 'journal.db-wal');
    const size = statSync(wal).size;
    for (let cut = 1; cut < frame; cut += 256) {
      const result = read(damaged(intact, 'journal.db-wal', (path) => truncateSync(path, size - cut)));
      expect(result).toBe(jobs - 1);
    }
    expect(readFileSync(wal).length).toBe(size);
  });

  it('A8: a journal with a flipped byte in its log before later commits is refused by name', () => {
    const random = announced('A8 flip');
    const size = statSync(join(intact, 'journal.db-wal')).size;
    const commits = commitsOf(join(intact, 'journal.db-wal'));
    // The last two can look as if the power cut had torn them.
    const provable = commits.at(-3) ?? 0;
    expect(provable).toBeGreaterThan(size / 2);
    for (let round = 0; round < 60; round++) {
      const at = round < 32 ? round : random.between(32, provable);
      const result = read(damaged(intact, 'journal.db-wal', (path) => flip(path, at)));
      expect([at, result]).toEqual([at, 'journal-failed']);
    }
    for (let round = 0; round < 20; round++) {
      const at = random.between(provable, size);
      const result = read(damaged(intact, 'journal.db-wal', (path) => flip(path, at)));
      expect([at, result === 'journal-failed' || (result as number) >= jobs - 3]).toEqual([at, true]);
    }
  });

  it('A8: a journal says where its log is damaged, and opens without the rest when that is cut off', () => {
    const [first = 0, second = 0] = commitsOf(join(intact, 'journal.db-wal'));
    const folder = damaged(intact, 'journal.db-wal', (path) => flip(path, (first + second) / 2));
    const remedy = /truncate --size=(\d+) (\S+)$/.exec(refusal(folder));
    expect(refusal(folder)).toBe(remedy?.input);
    expect([Number(remedy?.[1]) >= first, remedy?.[2]]).toEqual([true, join(folder, 'journal.db-wal')]);
    truncateSync(String(remedy?.[2]), Number(remedy?.[1]));
    expect(read(folder)).toBe(jobs - 19);
  });

  it('A8: a journal opens when pages of its last transaction reached the disk out of order', () => {
    const wal = join(intact, 'journal.db-wal');
    const [before = 0] = commitsOf(wal).slice(-2);
    expect(statSync(wal).size - before).toBeGreaterThan(frame);
    for (let at = before; at < statSync(wal).size; at += frame) {
      const folder = damaged(intact, 'journal.db-wal', (path) => overwrite(path, at, Buffer.alloc(frame)));
      expect([at, read(folder)]).toEqual([at, jobs - 1]);
    }
  });

  it('A8: a journal accepts what an earlier generation of its log or a rolled-back transaction has left', () => {
    const file = join(temporaryFolder('/dev/shm'), 'some.db');
    const db = keep(new Database(file));
    onTestFinished(() => void db.close());
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = 10; CREATE TABLE t (x)');
    const insert = keep(db.prepare('INSERT INTO t VALUES (randomblob(3000))'));
    const add = (count: number) => Array.from({ length: count }, () => insert.run());
    // SQLite begins its log anew after a thousand pages.
    for (let i = 0; i < 1_200; i++) add(1);
    assertLogIsWhole(file);
    db.exec('BEGIN');
    add(100);
    db.exec('ROLLBACK');
    add(1);
    assertLogIsWhole(file);
    const generations = new Set<string>();
    const bytes = readFileSync(`${file}-wal`);
    for (let at = 32; at < bytes.length; at += frame) generations.add(bytes.toString('hex', at + 8, at + 16));
    expect(generations.size).toBeGreaterThan(1);
  });

  it('A8: a file that is no journal is refused by name', () => {
    const folder = damaged(intact, 'journal.db', (path) => writeFileSync(path, 'nothing of the sort'.repeat(500)));
    expect(read(folder)).toBe('journal-failed');
  });
});
