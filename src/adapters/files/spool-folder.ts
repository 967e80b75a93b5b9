import { constants, existsSync } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { TriggerdError } from '../../domain/errors.ts';
import type { Spool, SpooledKeyspace, SpoolFile } from '../../firings/ports.ts';
import { watchFolder } from '../../kit/watch-folder.ts';
import { tidySpool } from './tidy-spool.ts';
import { whyParentsUntrusted } from './trusted-way.ts';

/** A firing's document is smaller; what is larger is not read to its end. */
const maxBytes = 1024 * 1024;
export interface SpoolTimes {
  /** Looked at anyway after this long: network file systems have no events, and inotify watches can run out. */
  readonly lookEveryMs: number;
  /** A Puppet run publishes its firings itself; only what is still there after this long needs us. */
  readonly settleMs: number;
}
const defaultTimes: SpoolTimes = { lookEveryMs: 60_000, settleMs: 1_000 };
const tidyEveryMs = 3_600_000;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** Opens the spool at `path`: makes the folder, or checks that it is ours. Throws `spool-unusable`. */
export const openSpoolFolder = async (
  folder: string,
  times: SpoolTimes = defaultTimes,
  now: () => number = Date.now,
): Promise<Spool> => {
  // With a slash at its end a symbolic link would be followed.
  const path = resolve(folder);
  await prepareFolder(path);
  let tidiedAt = Number.NEGATIVE_INFINITY;
  const tidyNowAndThen = async (): Promise<void> => {
    if (now() - tidiedAt < tidyEveryMs) return;
    tidiedAt = now();
    await tidySpool(path, now());
  };
  return {
    list: async () => {
      await prepareFolder(path);
      await tidyNowAndThen();
      return list(path);
    },
    read: async (name) => {
      const text = await readText(join(path, name));
      return text === undefined ? undefined : { text, keyspace: await readKeyspace(path, name) };
    },
    add: async (id, document) => {
      await prepareFolder(path);
      await writeDurably(path, `${id}.json`, document);
    },
    remove: async (id) => {
      await rm(join(path, `${id}.json`), { force: true });
      await rm(placeFile(path, `${id}.json`), { force: true });
    },
    reject: (name, reason) => reject(path, name, reason),
    onChange: (listener) => watchForFiles(path, listener, times),
  };
};

/** Written by the Puppet providers only: the daemon's own firings belong to the daemon's etcd. */
const placeFile = (path: string, name: string): string => join(path, `${name.replace(/\.json$/, '')}.place`);
const isSpooled = (name: string): boolean => name.endsWith('.json') && !name.startsWith('.');

const prepareFolder = async (path: string): Promise<void> => {
  // What is in its place instead of a folder is told by the check.
  if ((await lstat(path).catch(() => undefined)) === undefined) await makeFolder(path);
  await checkIsOurs(path);
  // Whoever can rename a folder above can put another in its place.
  const why = await whyParentsUntrusted(path);
  if (why !== null) throw unusable(path, why);
};

const makeFolder = async (path: string): Promise<void> => {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await syncFolder(dirname(path));
  } catch (cause) {
    throw unusable(path, `it cannot be created: ${codeOf(cause)}`, cause);
  }
};

/** Whoever could write here would publish what he likes in this node's name. */
const checkIsOurs = async (path: string): Promise<void> => {
  // NONBLOCK: a FIFO in its place must not stop the daemon.
  const folder = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((cause: unknown) => {
    throw unusable(path, codeOf(cause) === 'ELOOP' ? 'it is a symbolic link' : String(codeOf(cause)), cause);
  });
  try {
    const stat = await folder.stat();
    if (!stat.isDirectory()) throw unusable(path, 'it is not a folder');
    if (stat.uid !== process.getuid?.()) throw unusable(path, `it belongs to user ${stat.uid}, not to the daemon’s`);
    if ((stat.mode & 0o022) !== 0) throw unusable(path, 'it can be written by its group or by others');
  } finally {
    await folder.close();
  }
};

const list = async (path: string): Promise<SpoolFile[]> => {
  const names = (await readdir(path)).filter(isSpooled);
  const files = await Promise.all(names.map((name) => stored(path, name)));
  return files.flat().sort((a, b) => a.storedAt - b.storedAt || (a.name < b.name ? -1 : 1));
};

const stored = async (path: string, name: string): Promise<SpoolFile[]> => {
  const stat = await lstat(join(path, name)).catch(() => undefined);
  return stat === undefined ? [] : [{ name, storedAt: stat.mtimeMs }];
};

/** Undefined when there is no such file. */
const readText = async (file: string): Promise<string | undefined> => {
  try {
    return await readRegularFile(file);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    if (codeOf(cause) === 'ELOOP') throw new TriggerdError('input-invalid', 'it is a symbolic link', { cause });
    if (cause instanceof TriggerdError) throw cause;
    throw unusable(file, String(codeOf(cause)), cause);
  }
};

const readRegularFile = async (path: string): Promise<string> => {
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new TriggerdError('input-invalid', 'it is not a file');
    if (stat.size > maxBytes) throw new TriggerdError('input-invalid', `it is larger than ${maxBytes} bytes`);
    return decode(await file.readFile());
  } finally {
    await file.close();
  }
};

const decode = (bytes: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new TriggerdError('input-invalid', 'it is not UTF-8', { cause });
  }
};

const readKeyspace = async (path: string, name: string): Promise<SpooledKeyspace | null> => {
  const text = await readText(placeFile(path, name));
  if (text === undefined) return null;
  try {
    const { endpoints, prefix } = JSON.parse(text) as SpooledKeyspace;
    return { endpoints: endpoints.map(String), prefix: String(prefix) };
  } catch (cause) {
    throw new TriggerdError('input-invalid', 'the file .place beside it does not say where the firing belongs', {
      cause,
    });
  }
};

/** There wholly or not at all, and there after a power cut. */
const writeDurably = async (path: string, name: string, text: string): Promise<void> => {
  const temporary = join(path, `.tmp-${name}`);
  try {
    // The same firing's, of somebody who was killed.
    await rm(temporary, { force: true });
    const file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(path, name));
    await syncFolder(path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw unusable(path, `it cannot be written: ${codeOf(cause)}`, cause);
  }
};

const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path, O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
};

const reject = async (path: string, name: string, reason: string): Promise<void> => {
  const rejected = join(path, 'rejected');
  await prepareFolder(rejected);
  try {
    await rename(join(path, name), join(rejected, name));
    await rm(placeFile(path, name), { force: true });
    await writeDurably(rejected, `${name}.reason`, `${reason}\n`);
  } catch (thrown) {
    // Somebody else has done it.
    if (codeOf(thrown) === 'ENOENT') return;
    throw thrown instanceof TriggerdError ? thrown : unusable(rejected, String(codeOf(thrown)), thrown);
  }
};

const watchForFiles = (path: string, listener: () => void, { lookEveryMs, settleMs }: SpoolTimes): (() => void) => {
  const seen = new Set<string>();
  let isStopped = false;
  const settle = () => {
    const remain = [...seen].some((name) => existsSync(join(path, name)));
    seen.clear();
    if (remain && !isStopped) listener();
  };
  const onEntry = (name: string | null): void => {
    if (name === null) listener();
    if (name === null || !isSpooled(name)) return;
    if (seen.size === 0) setTimeout(settle, settleMs).unref();
    seen.add(name);
  };
  const stop = watchFolder(path, onEntry, { everyMs: lookEveryMs });
  return () => {
    isStopped = true;
    stop();
  };
};

const codeOf = (cause: unknown): string | undefined => (cause as NodeJS.ErrnoException).code;

const unusable = (path: string, why: string, cause?: unknown): TriggerdError =>
  new TriggerdError('spool-unusable', `the spool ${path}: ${why}`, { cause });
