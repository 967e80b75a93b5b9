import { closeSync, openSync, writeSync } from 'node:fs';
import { TriggerdError } from '../../domain/errors.ts';

/** A file that gets a copy of what is printed. Never throws: a full disk must not end what is copied. */
export interface LogCopy {
  write(text: string | Uint8Array): void;
  /** Opens the path anew, after somebody has rotated the file. What cannot be opened is said, and the old file kept. */
  reopen(): string | undefined;
}

type Warn = (text: string) => void;

const toStderr: Warn = (text) => void process.stderr.write(`${text}\n`);
const none: LogCopy = { write: () => undefined, reopen: () => undefined };

/**
 * Appends to `path`, which is made for its owner only, until the process ends. Throws `config-invalid` when it can't:
 * nothing has been asked yet. `key` is where the configuration names it. What cannot be written later is told to `warn`, once.
 */
export const openLogCopy = (
  path: string | undefined,
  key = '[triggerfs-client] logfile',
  warn: Warn = toStderr,
): LogCopy => {
  if (path === undefined) return none;
  try {
    return new FileCopy(openSync(path, 'a', 0o600), path, key, warn);
  } catch (cause) {
    throw new TriggerdError('config-invalid', cannotWrite(key, path, cause), { cause });
  }
};

/** The same for a service that is to start without its log: the copy begins with the first `reopen` that succeeds. */
export const openLogCopyLater = (
  path: string | undefined,
  key: string,
  warn: Warn = toStderr,
): { readonly copy: LogCopy; readonly problem?: string } => {
  if (path === undefined) return { copy: none };
  const copy = new FileCopy(undefined, path, key, warn);
  const problem = copy.reopen();
  return problem === undefined ? { copy } : { copy, problem };
};

class FileCopy implements LogCopy {
  #file: number | undefined;
  readonly #path: string;
  readonly #key: string;
  readonly #warn: Warn;
  #hasWarned = false;

  constructor(file: number | undefined, path: string, key: string, warn: Warn) {
    this.#file = file;
    this.#path = path;
    this.#key = key;
    this.#warn = warn;
  }

  write(text: string | Uint8Array): void {
    if (this.#file === undefined) return;
    try {
      writeSync(this.#file, typeof text === 'string' ? Buffer.from(text) : text);
    } catch (error) {
      if (this.#hasWarned) return;
      this.#hasWarned = true;
      this.#warn(`${cannotWrite(this.#key, this.#path, error)}; the copy has gaps`);
    }
  }

  reopen(): string | undefined {
    try {
      const next = openSync(this.#path, 'a', 0o600);
      if (this.#file !== undefined) closeSync(this.#file);
      this.#file = next;
      this.#hasWarned = false;
      return undefined;
    } catch (cause) {
      return cannotWrite(this.#key, this.#path, cause);
    }
  }
}

const cannotWrite = (key: string, path: string, error: unknown): string =>
  `${key}: ${path} cannot be written (${(error as NodeJS.ErrnoException).code})`;
