/** Reads the text of the configuration file; says what is wrong in the catalogue's words. */
import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { type ConfigFile, locateConfig, maxConfigBytes } from '../../config/locate.ts';
import { TriggerdError } from '../../domain/errors.ts';

/** The first of the places that exists; null when none does and nobody named one. */
export const readConfigFile = (places: readonly ConfigFile[]): { path: string; text: string } | null => {
  for (const place of places) {
    const text = readText(place);
    if (text !== undefined) return { path: place.path, text };
  }
  return null;
};

/**
 * One text of the configuration, unchecked otherwise: a slip elsewhere in the file is the daemon's business. `quick` may
 * find it without the parser.
 */
export const readConfigText = async (
  configFile: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  [section, key]: readonly [string, string],
  quick: (text: string) => string | undefined = () => undefined,
): Promise<string | undefined> => {
  const places = locateConfig(configFile, env);
  const file = unlessUnreadable(() => readConfigFile(places), places[0].named);
  if (file === null || !file.text.includes(key)) return undefined;
  const found = quick(file.text);
  if (found !== undefined) return found;
  const { parseToml } = await import('../../config/toml.ts');
  const value = (parseToml(file.text, file.path)[section] as Readonly<Record<string, unknown>> | undefined)?.[key];
  return typeof value === 'string' ? value : undefined;
};

/** The default file may hold secrets and be closed to users who may use the socket all the same. */
const unlessUnreadable = <T>(read: () => T, named: boolean): T | null => {
  try {
    return read();
  } catch (error) {
    if (!named && error instanceof TriggerdError && error.code === 'config-unreadable') return null;
    throw error;
  }
};

const readText = (place: ConfigFile): string | undefined => {
  const bytes = readBytes(place);
  // Of one that is too long the end may be half a character; the parser refuses it.
  if (bytes !== undefined && bytes.length <= maxConfigBytes && !isUtf8(bytes))
    throw new TriggerdError('config-syntax', `${place.path}: not UTF-8`, { details: { file: place.path } });
  return bytes?.toString();
};

const readBytes = ({ path, named }: ConfigFile): Buffer | undefined => {
  try {
    return readCapped(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' && !named) return undefined;
    const details = { file: path };
    if (code === 'ENOENT')
      throw new TriggerdError('config-not-found', `${path}: no such file`, { cause: error, details });
    throw new TriggerdError('config-unreadable', `${path}: cannot be read (${code})`, { cause: error, details });
  }
};

/** One byte more than the parser takes, so that it can tell; a device or a huge file costs no more than that. */
const readCapped = (path: string): Buffer => {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(maxConfigBytes + 1);
    let length = 0;
    for (;;) {
      const read = readSync(file, buffer, length, buffer.length - length, null);
      if (read === 0) break;
      length += read;
      if (length === buffer.length) break;
    }
    return buffer.subarray(0, length);
  } finally {
    closeSync(file);
  }
};
