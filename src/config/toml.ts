import { parse, TomlError } from 'smol-toml';
import { TriggerdError } from '../domain/errors.ts';
import { maxConfigBytes } from './locate.ts';

/** The text of a TOML file → its tables. Throws `config-syntax` with line and column. */
export const parseToml = (text: string, file: string): Readonly<Record<string, unknown>> => {
  if (Buffer.byteLength(text) > maxConfigBytes)
    throw new TriggerdError('config-syntax', `${file}: larger than 1 MiB`, { details: { file } });
  const tables = parsed(text, file);
  if (!isShallow(tables, maxDepth))
    throw new TriggerdError('config-syntax', `${file}: nested deeper than ${maxDepth} levels`, { details: { file } });
  return tables;
};

/** More than any table here has, and few enough for whoever walks through them. */
const maxDepth = 32;

const isShallow = (value: unknown, depth: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (depth > 0 && Object.values(value).every((inner) => isShallow(inner, depth - 1)));

const parsed = (text: string, file: string): Readonly<Record<string, unknown>> => {
  try {
    return parse(text);
  } catch (error) {
    throw asSyntaxError(error, file);
  }
};

const asSyntaxError = (error: unknown, file: string): TriggerdError => {
  if (!(error instanceof TomlError)) return new TriggerdError('config-syntax', `${file}: not TOML`, { cause: error });
  // The first line says what is wrong; the rest is a drawing of the place, which could show a secret.
  const what = error.message.replace(/^Invalid TOML document: /, '').split('\n', 1)[0] ?? '';
  return new TriggerdError('config-syntax', `${file}:${error.line}:${error.column}: ${what}`, {
    cause: error,
    details: { file, line: error.line, column: error.column },
  });
};
