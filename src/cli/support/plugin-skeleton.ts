/** A new plugin from one of the templates that triggerd brings: it works, and its test passes. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { TriggerdError } from '../../domain/errors.ts';

export const languages = ['sh', 'python', 'node'] as const;
export type Language = (typeof languages)[number];

const templates = join(import.meta.dirname, '../../../templates/plugin');

/**
 * Makes the plugin `name` below the folder `root` and gives its files' names; a half-made one is removed. Throws
 * `plugin-exists`, `plugin-not-made`.
 */
export const makePlugin = (root: string, name: string, language: Language): string[] => {
  const folder = join(root, name);
  makeFolder(folder);
  try {
    return filesOf(language, name).map(([file, template]) => writeFrom(template, join(folder, file), name));
  } catch (cause) {
    rmSync(folder, { recursive: true });
    throw notMade(folder, cause);
  }
};

const makeFolder = (folder: string): void => {
  try {
    mkdirSync(dirname(folder), { recursive: true, mode: 0o755 });
    mkdirSync(folder, { mode: 0o755 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw notMade(folder, cause);
    throw new TriggerdError('plugin-exists', `${folder} exists already`, { cause });
  }
};

const notMade = (folder: string, cause: unknown): TriggerdError =>
  new TriggerdError('plugin-not-made', `${folder}: ${(cause as Error).message}`, { cause });

/** Names in the plugin's folder, and the templates of them. `main` becomes the executable. */
const filesOf = (language: Language, name: string): (readonly [string, string])[] => [
  ['plugin.toml', join(templates, 'plugin.toml')],
  ['README.md', join(templates, 'README.md')],
  ...readdirSync(join(templates, language)).map(
    (file) => [file === 'main' ? basename(name) : file, join(templates, language, file)] as const,
  ),
];

/** Never writable by a group, whatever the umask: such a plugin would be refused. */
const writeFrom = (template: string, file: string, name: string): string => {
  const text = readFileSync(template, 'utf8').replaceAll('@NAME@', name).replaceAll('@BASE@', basename(name));
  const isProgram = (statSync(template).mode & 0o100) !== 0;
  writeFileSync(file, text, { flag: 'wx', mode: isProgram ? 0o755 : 0o644 });
  return basename(file);
};
