import { openSync, writeSync } from 'node:fs';
import { TriggerdError } from '../../domain/errors.ts';

/** A file that gets a copy of what is printed. Never throws: a full disk must not end what is copied. */
export interface LogCopy {
  write(text: string | Uint8Array): void;
}

/**
 * Appends to `path`, which is made for its owner only, until the process ends. Throws `config-invalid` when it can't:
 * nothing has been asked yet. `key` is where the configuration names it. What can not be written later is told to `warn`, once.
 */
export const openLogCopy = (
  path: string | undefined,
  key = '[triggerfs-client] logfile',
  warn: (text: string) => void = (text) => void process.stderr.write(`${text}\n`),
): LogCopy => {
  if (path === undefined) return { write: () => undefined };
  const file = open(path, key);
  let hasWarned = false;
  return {
    write: (text) => {
      try {
        writeSync(file, typeof text === 'string' ? Buffer.from(text) : text);
      } catch (error) {
        if (hasWarned) return;
        hasWarned = true;
        warn(`${cannotWrite(key, path, error)}; the copy has gaps`);
      }
    },
  };
};

const open = (path: string, key: string): number => {
  try {
    return openSync(path, 'a', 0o600);
  } catch (cause) {
    throw new TriggerdError('config-invalid', cannotWrite(key, path, cause), { cause });
  }
};

const cannotWrite = (key: string, path: string, error: unknown): string =>
  `${key}: ${path} can not be written (${(error as NodeJS.ErrnoException).code})`;
