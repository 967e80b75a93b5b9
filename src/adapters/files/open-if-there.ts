import { type FileHandle, open } from 'node:fs/promises';
import { isMissing } from '../system/is-missing.ts';

/** The file for reading; undefined when it does not exist. Throws what else the system says. */
export const openIfThere = async (path: string): Promise<FileHandle | undefined> => {
  try {
    return await open(path, 'r');
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
};
