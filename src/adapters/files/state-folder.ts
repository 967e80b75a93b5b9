import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { TriggerdError } from '../../domain/errors.ts';
import { whyParentsUntrusted } from './trusted-way.ts';

export interface StateFolder {
  readonly path: string;
  readonly journalFile: string;
  readonly jobsDir: string;
}

/**
 * Makes or checks the daemon's folder: ours, and closed to everybody else, since outputs and arguments in it may be
 * secret and whoever can write there runs what he likes. Throws `state-unusable`.
 */
export const prepareStateFolder = async (path: string): Promise<StateFolder> => {
  const jobsDir = join(path, 'jobs');
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    checkIsOurs(path);
    // Whoever can rename a folder above can put another in its place.
    const why = await whyParentsUntrusted(path);
    if (why !== null) throw new TriggerdError('state-unusable', why);
    mkdirSync(jobsDir, { recursive: true, mode: 0o700 });
    checkIsOurs(jobsDir);
  } catch (cause) {
    if (cause instanceof TriggerdError) throw cause;
    throw new TriggerdError('state-unusable', `${path}: ${(cause as Error).message}`, { cause });
  }
  return { path, journalFile: join(path, 'journal.db'), jobsDir };
};

const checkIsOurs = (path: string): void => {
  const { uid, mode } = statSync(path);
  if (uid !== process.getuid?.())
    throw new TriggerdError('state-unusable', `${path} belongs to user ${uid}, not to the daemon’s`);
  if ((mode & 0o022) !== 0)
    throw new TriggerdError('state-unusable', `${path} can be written by its group or by others`);
  accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
};
