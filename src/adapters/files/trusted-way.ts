/** Whether anybody but root and the daemon's own user could put something else at the end of a path. */
import type { Stats } from 'node:fs';
import { lstat, readlink, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { nameIn } from '../system/file-access.ts';
import { isMissing } from '../system/is-missing.ts';

/** As many as Linux follows. */
const maxLinks = 40;

/**
 * Why what is at this absolute path may be another's tomorrow: it, a folder on the way to it, or a link there belongs to somebody
 * else or can be written by others. Null: nothing is wrong. Walks as the kernel does: a link continues where it points to. What
 * is missing is nobody's.
 */
const whyPathUntrusted = (path: string): Promise<string | null> => walk(path, checkProgram);

/**
 * The same of the folders above a folder of ours. The group of a user's own has nobody else in it, and many systems let it write in
 * all that the user makes.
 */
export const whyParentsUntrusted = (folder: string): Promise<string | null> =>
  walk(dirname(resolve(folder)), checkParent);

/** Why not this place, if it is not the last one: `isOnTheWay`. */
type Check = (stats: Stats, isOnTheWay: boolean) => string | null;

const walk = async (path: string, check: Check): Promise<string | null> => {
  let done = '/';
  let rest = path.split('/').filter((name) => name !== '');
  let links = 0;
  let why = await checkStep('/', false, check);
  while (why === null && rest.length > 0) {
    const [name = '', ...others] = rest;
    const here = name === '..' ? dirname(done) : join(done, name);
    const target = await targetOf(here);
    why = await checkStep(here, others.length > 0, check);
    rest = others;
    if (target === undefined) done = here;
    else {
      links += 1;
      if (links > maxLinks) return `${path} has too many links`;
      rest = [...target.split('/').filter((each) => each !== '' && each !== '.'), ...others];
      if (target.startsWith('/')) done = '/';
    }
  }
  return why;
};

const targetOf = (path: string): Promise<string | undefined> => readlink(path).catch(() => undefined);

const checkStep = async (path: string, isOnTheWay: boolean, check: Check): Promise<string | null> => {
  try {
    const why = check(await lstat(path), isOnTheWay);
    return why === null ? null : `${path} ${why}`;
  } catch (thrown) {
    if (isMissing(thrown)) return null;
    return `${path} can not be examined (${(thrown as NodeJS.ErrnoException).code})`;
  }
};

const checkProgram: Check = (stats, isOnTheWay) => {
  if (stats.uid !== 0 && stats.uid !== process.getuid?.()) return `belongs to user ${stats.uid}`;
  // As /tmp: only an owner renames or removes. The mode of a link means nothing.
  const isShared = isOnTheWay && (stats.mode & 0o1000) !== 0;
  if ((stats.mode & 0o022) === 0 || isShared || stats.isSymbolicLink()) return null;
  return 'can be written by its group or by others';
};

const checkParent: Check = (stats) => {
  const isOwnGroup = (stats.mode & 0o002) === 0 && nameIn('/etc/group', stats.gid) === nameIn('/etc/passwd', stats.uid);
  if (isOwnGroup) stats.mode &= ~0o020;
  return checkProgram(stats, true);
};

/** What is asked about: whether anybody but root and the daemon's own user could change what runs. */
interface Program {
  /** A path, or a name that is looked for in `searchPath`. */
  readonly program: string;
  readonly searchPath: string;
}

/**
 * Why root must not run this program: it, a folder on the way to it, or a link there belongs to somebody else or can be written by
 * others. Null: it may; also when there is no such program. A relative path is one below `/`, where jobs run.
 */
export const whyUntrusted = async ({ program, searchPath }: Program): Promise<string | null> => {
  if (program.includes('/')) return whyPathUntrusted(resolve('/', program));
  for (const folder of searchPath.split(':')) {
    const path = join(resolve('/', folder), program);
    if (await isThere(path)) return whyPathUntrusted(path);
  }
  return null;
};

const isThere = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() === true;
