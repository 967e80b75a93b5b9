import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { TriggerdError } from '../../domain/errors.ts';

/** Certificates of many authorities have some hundred KiB. */
const maxBytes = 1_048_576;

/**
 * Reads a file that the configuration names: a certificate, a key, a password. Puppet's own certificates are such files, and on
 * Debian their folder belongs to the user `puppet`. Links are followed, as root may have made them; a FIFO or a device neither
 * stops us nor is opened for long, and what is too large is refused. The stats are those of what was read. Throws `config-invalid`, which
 * names the key, if there is one.
 */
export const readConfiguredFile = (
  key: string | null,
  path: string,
): { readonly content: Buffer; readonly stats: Stats } => {
  try {
    return readSmallFile(path);
  } catch (cause) {
    const why = cause instanceof Unsuitable ? cause.message : (cause as NodeJS.ErrnoException).code;
    throw new TriggerdError(
      'config-invalid',
      `${key === null ? `${path}:` : `${key}: ${path}`} cannot be read (${why})`,
      { cause },
    );
  }
};

class Unsuitable extends Error {}

const readSmallFile = (path: string): { content: Buffer; stats: Stats } => {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new Unsuitable('it is not a regular file');
    const buffer = Buffer.allocUnsafe(Math.min(stats.size, maxBytes) + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read)
      read = readSync(file, buffer, length, buffer.length - length, null);
    if (length > maxBytes) throw new Unsuitable(`it is larger than ${maxBytes / 1024} KiB`);
    if (length === buffer.length) throw new Unsuitable('it grows while it is read');
    return { content: buffer.subarray(0, length), stats };
  } finally {
    closeSync(file);
  }
};
