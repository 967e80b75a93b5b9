import { openSync, writeSync } from 'node:fs';
import { TriggerdError } from '../../domain/errors.ts';

/** A file that gets a copy of what is printed. */
export interface LogCopy {
  write(text: string | Uint8Array): void;
}

/**
 * Appends to `path`, which is made for its owner only, until the process ends. Throws `config-invalid` when it can't:
 * nothing has been asked yet. `key` is where the configuration names it.
 */
export const openLogCopy = (path: string | undefined, key = '[triggerfs-client] logfile'): LogCopy => {
  if (path === undefined) return { write: () => undefined };
  try {
    const file = openSync(path, 'a', 0o600);
    return { write: (text) => void writeSync(file, typeof text === 'string' ? Buffer.from(text) : text) };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const message = `${key}: ${path} can not be written (${code})`;
    throw new TriggerdError('config-invalid', message, { cause });
  }
};
