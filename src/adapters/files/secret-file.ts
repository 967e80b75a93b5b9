import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { TriggerdError } from '../../domain/errors.ts';
import { isMissing } from '../system/is-missing.ts';

/**
 * What a file holds that only this user may read; made with `create` when it is not there. Never half a file: what is new
 * is on the disk before it has its name. Throws `state-unusable`, also for a file that others can read.
 */
export const readOrCreateSecret = async (path: string, create: () => Promise<string>): Promise<string> => {
  try {
    return readSecret(path) ?? (await createSecret(path, await create()));
  } catch (cause) {
    if (cause instanceof TriggerdError) throw cause;
    throw new TriggerdError('state-unusable', `${path}: ${(cause as Error).message}`, { cause });
  }
};

const readSecret = (path: string): string | undefined => {
  try {
    const { uid, mode } = statSync(path);
    if (uid !== process.getuid?.() || (mode & 0o077) !== 0)
      throw new TriggerdError('state-unusable', `${path} must belong to the daemon’s user and have mode 0600`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
};

const createSecret = (path: string, text: string): string => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  replaceSecret(path, text);
  return text;
};

/** Puts a file with this text in the place of whatever is there; only this user can read it. Never half a file. */
export const replaceSecret = (path: string, text: string): void => {
  const draft = `${path}.${process.pid}`;
  rmSync(draft, { force: true });
  writeDurably(draft, text);
  renameSync(draft, path);
  syncFolder(dirname(path));
};

const writeDurably = (path: string, text: string): void => {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};

const syncFolder = (path: string): void => {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
};
