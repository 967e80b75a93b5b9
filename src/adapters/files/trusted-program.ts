/** Whether anybody but root and the daemon's own user could change what a path runs, by the rules that plugins have. */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { whyWayUntrusted } from './trusted-way.ts';

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
  if (program.includes('/')) return whyWayUntrusted(resolve('/', program));
  for (const folder of searchPath.split(':')) {
    const path = join(resolve('/', folder), program);
    if (await isThere(path)) return whyWayUntrusted(path);
  }
  return null;
};

const isThere = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() === true;
