import { closeSync, constants, existsSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { TriggerdError } from '../../domain/errors.ts';
import type { MessageSpool } from '../../mount/delivery-ports.ts';
import type { FiringLog, Journal, RequestLog } from '../../queue/ports/journal.ts';
import { createFiringStore } from './firing-store.ts';
import { createJobStore } from './job-store.ts';
import { createMessageSpool } from './message-spool.ts';
import { migrate } from './migrations.ts';
import { createRequestStore } from './request-store.ts';
import { castSqliteError, isBusy, keep, pragma, statementsOf } from './statements.ts';

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

/**
 * Opens the journal's database for this process alone: the exclusive lock is the kernel's (`fcntl`), so it goes with the
 * process however that ends. Beside it lies `<file>.pid`, only to name the holder to a second daemon.
 *
 * Throws `already-running`, `journal-newer` or `journal-failed`.
 */
const openDatabase = (file: string): Database.Database => {
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
const closeDatabase = (db: Database.Database, file: string): void => {
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

/**
 * SQLite reads its log up to the first frame that does not fit, and takes that for the end that a power cut tore. A byte that
 * flipped in the middle looks the same, and costs all that follows.
 *
 * What tells them apart: each frame's checksum continues from the one before it, and with `synchronous = FULL` nothing is written
 * behind a commit before that commit is on disk. So a frame that continues from a commit proves that this commit, and
 * all before it, once was whole. A torn end has no such frame behind it: neither the pages of one transaction that reached the
 * disk out of order, nor what an older generation (other salts), a rollback or a failed commit left there. Damage in the
 * last transaction has none either: it can't be told from a torn end.
 */

const headerBytes = 32;
const frameHeaderBytes = 24;
/** SQLite's own choice, which the journal leaves as it is. */
const pageBytes = 4096;

/**
 * Before SQLite opens the file: when it closes it, it empties the log into the main file and deletes it. Throws `journal-failed`
 * when whole transactions lie behind a place of the log (`<file>-wal`) at which SQLite would stop.
 */
export const assertLogIsWhole = (file: string): void => {
  const log = `${file}-wal`;
  if (!existsSync(log)) return;
  const at = damageIn(log);
  // A daemon that runs writes there meanwhile: what it has half written is whole when it is read again.
  if (at === undefined || at !== damageIn(log)) return;
  throw new TriggerdError(
    'journal-failed',
    `${log}: the file is damaged at byte ${at}; commits after that would be lost. Restore the state folder, or give up these commits: truncate --size=${at} ${log}`,
    { details: { file: log, byte: at } },
  );
};

const damageIn = (log: string): number | undefined => {
  // NONBLOCK: a FIFO in its place must not stop the daemon.
  const fd = openSync(log, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return firstDamage((block, at) => readSync(fd, block, 0, block.length, at) === block.length);
  } finally {
    closeSync(fd);
  }
};

/** Where the log stops to make sense although a frame behind continues from a commit; undefined for a whole or torn one. */
const firstDamage = (read: (block: Buffer, at: number) => boolean): number | undefined => {
  const header = Buffer.alloc(headerBytes);
  if (!read(header, 0)) return undefined;
  const sum = checksums(header);
  const isHeaderWhole = agree(sum(header.subarray(0, 24), [0, 0]), checksumAt(header, 24));
  const frame = Buffer.alloc(frameHeaderBytes + pageBytes);
  const isOfThisLog = () => !isHeaderWhole || frame.subarray(8, 16).equals(header.subarray(16, 24));
  let stop = isHeaderWhole ? undefined : 0;
  let before = { checksum: checksumAt(header, 24), isCommit: false };
  for (let at = headerBytes; read(frame, at); at += frame.length) {
    const checksum = checksumAt(frame, 16);
    const reached = sum(frame.subarray(frameHeaderBytes), sum(frame.subarray(0, 8), before.checksum));
    const goesOn = isOfThisLog() && agree(reached, checksum);
    if (stop !== undefined && goesOn && before.isCommit) return stop;
    if (!goesOn) stop ??= at;
    before = { checksum, isCommit: isOfThisLog() && frame.readUInt32BE(4) !== 0 };
  }
  return undefined;
};

type Checksum = readonly [number, number];

const checksumAt = (bytes: Buffer, at: number): Checksum => [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];

const agree = (a: Checksum, b: Checksum): boolean => a[0] === b[0] && a[1] === b[1];

/** SQLite's checksum, in the byte order that the first word of the file names; it continues from an earlier one. */
const checksums = (header: Buffer): ((bytes: Buffer, from: Checksum) => Checksum) => {
  const isBigEndian = header.readUInt32BE(0) % 2 === 1;
  return (bytes, [first, second]) => {
    let [a, b] = [first, second];
    for (let at = 0; at < bytes.length; at += 8) {
      a = (a + (isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + b) >>> 0;
      b = (b + (isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + a) >>> 0;
    }
    return [a, b];
  };
};
