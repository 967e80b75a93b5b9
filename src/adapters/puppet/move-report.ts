/**
 * Puts the report of a run in its standard place. Its folder may belong to the user `puppet`, who can swap anything in
 * it at any time: a file is moved inside the folder, and only a file that we have made ourselves is given to another owner.
 */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, rename, unlink } from 'node:fs/promises';
import { withPatience } from '../files/patience.ts';
import { askProgram } from '../process/ask-program.ts';
import { isSandboxed } from '../process/own-unit.ts';
import { baseEnvironment } from '../system/base-env.ts';
import { isMissing } from '../system/is-missing.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** Both in one folder. Nothing happens where `from` is not there. Rejects when the system refuses; `from` is gone then, too. */
export const moveReport = (from: string, to: string): Promise<void> =>
  withPatience(async () => {
    const written = await statsOf(from);
    if (written === undefined) return;
    try {
      const standing = await statsOf(to);
      if (!written.isFile()) throw new Error(`${from} is not a regular file`);
      if (standing === undefined || mayKeepOwner(standing, written)) await move(from, to);
      else await placeCopy(from, to, standing);
    } finally {
      await remove(from);
    }
  });

/** In a sticky folder of others, as `state` of Puppet is, the daemon's unit may move and delete nothing; a program beside it may. */
const move = (from: string, to: string): Promise<void> =>
  rename(from, to).catch((error: unknown) => outside(error, ['mv', '-fT', '--', from, to]));

const remove = (path: string): Promise<void> =>
  unlink(path)
    .catch((error: unknown) => (isMissing(error) ? undefined : outside(error, ['rm', '-f', '--', path])))
    .catch(() => undefined);

const outside = async (error: unknown, argv: readonly [string, ...string[]]): Promise<void> => {
  if (!isSandboxed() || !(error instanceof Error && 'code' in error && error.code === 'EPERM')) throw error;
  const asked = await askProgram(argv, { env: baseEnvironment(), timeoutMs: 10_000 });
  if (asked.failed) throw error;
};

const statsOf = async (path: string): Promise<Stats | undefined> => {
  try {
    return await lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
};

/**
 * Puppet keeps the owner of a report that it replaces, if it may. What is not root's stays whose it is: a copy that belongs to
 * somebody else would be believed like a report of theirs.
 */
const mayKeepOwner = (standing: Stats, written: Stats): boolean =>
  written.uid !== 0 || process.getuid?.() !== 0 || (standing.uid === written.uid && standing.gid === written.gid);

/** What every report begins with: nothing else that root can read is handed to another owner. */
const beginning = Buffer.from('--- !ruby/object:Puppet::Transaction::Report\n');

const placeCopy = async (from: string, to: string, { uid, gid }: Stats): Promise<void> => {
  const copy = `${from}.copy`;
  const source = await open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const { mode, uid: writer } = await source.stat();
    if (writer !== 0) throw new Error(`${from} was replaced`);
    const { buffer } = await source.read(Buffer.alloc(beginning.length), 0, beginning.length, 0);
    if (!buffer.equals(beginning)) throw new Error(`${from} is not a report`);
    const target = await open(copy, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      await copyBytes(source, target);
      // The daemon's unit may not change the mode of what belongs to others.
      await target.chmod(mode & 0o777);
      await target.chown(uid, gid);
    } finally {
      await target.close();
    }
    await move(copy, to);
  } finally {
    await source.close();
    await remove(copy);
  }
};

/** What a report may have at most; whoever reads it would not read more. */
const maxBytes = 128 * 1_048_576;

const copyBytes = async (source: FileHandle, target: FileHandle): Promise<void> => {
  const buffer = Buffer.allocUnsafe(1_048_576);
  for (let copied = 0; copied < maxBytes; ) {
    const { bytesRead } = await source.read(buffer, 0, buffer.length, copied);
    if (bytesRead === 0) return;
    await target.write(buffer, 0, bytesRead);
    copied += bytesRead;
  }
};
