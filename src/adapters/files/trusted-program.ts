/** Whether anybody but root and the daemon's own user could change what a path runs, by the rules that plugins have. */
import { lstat, readlink, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isMissing } from '../system/is-missing.ts';

/** As many as Linux follows. */
const maxLinks = 40;

export interface ProgramPlace {
  /** A path, or a name that is looked for in `searchPath`. */
  readonly program: string;
  readonly searchPath: string;
}

/**
 * Why root must not run this program: it, a folder on the way to it, or a link there belongs to somebody else or can be written by
 * others. Null: it may; also when there is no such program. A relative path is one below `/`, where jobs run.
 */
export const whyUntrusted = async ({ program, searchPath }: ProgramPlace): Promise<string | null> => {
  if (program.includes('/')) return checkWay(resolve('/', program));
  for (const folder of searchPath.split(':')) {
    const path = join(resolve('/', folder), program);
    if (await isThere(path)) return checkWay(path);
  }
  return null;
};

const isThere = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() === true;

/** Walks as the kernel does: a link continues where it points to. What is missing is nobody's. */
const checkWay = async (path: string): Promise<string | null> => {
  let done = '/';
  let rest = path.split('/').filter((name) => name !== '');
  let links = 0;
  let why = await checkPlace('/', false);
  while (why === null && rest.length > 0) {
    const [name = '', ...others] = rest;
    const here = name === '..' ? dirname(done) : join(done, name);
    const target = await targetOf(here);
    why = await checkPlace(here, others.length > 0);
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

const checkPlace = async (path: string, isOnTheWay: boolean): Promise<string | null> => {
  try {
    const stats = await lstat(path);
    if (stats.uid !== 0 && stats.uid !== process.getuid?.()) return `${path} belongs to user ${stats.uid}`;
    const isShared = isOnTheWay && (stats.mode & 0o1000) !== 0; // as /tmp: only an owner renames or removes
    // The mode of a link means nothing.
    if ((stats.mode & 0o022) === 0 || isShared || stats.isSymbolicLink()) return null;
    return `${path} can be written by its group or by others`;
  } catch (thrown) {
    if (isMissing(thrown)) return null;
    return `${path} can not be examined (${(thrown as NodeJS.ErrnoException).code})`;
  }
};
