import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../system/is-missing.ts';

/** A file that is being written is younger. */
const strayMs = 3_600_000;
/** What was set aside is for a person to see; after this long nobody will. */
const rejectedMs = 30 * 86_400_000;

/**
 * Deletes what nothing else would: half a file of somebody who was killed, a `.place` whose firing is gone, and what was
 * set aside a month ago. Never a firing.
 */
export const tidySpool = async (path: string, now: number): Promise<void> => {
  const names = await namesIn(path);
  const there = new Set(names);
  const isStray = (name: string): boolean =>
    name.startsWith('.tmp-') || (name.endsWith('.place') && !there.has(name.replace(/\.place$/, '.json')));
  await deleteOlder(path, names.filter(isStray), now - strayMs);
  const rejected = join(path, 'rejected');
  await deleteOlder(rejected, await namesIn(rejected), now - rejectedMs);
};

/** By the last change of its name or content: setting a file aside leaves the time of its content alone. */
const deleteOlder = async (path: string, names: readonly string[], before: number): Promise<void> => {
  for (const name of names) {
    const stat = await lstat(join(path, name)).catch(() => undefined);
    if (stat?.isFile() && stat.ctimeMs < before) await rm(join(path, name), { force: true });
  }
};

const namesIn = async (path: string): Promise<string[]> => {
  try {
    return await readdir(path);
  } catch (thrown) {
    if (isMissing(thrown)) return [];
    throw thrown;
  }
};
