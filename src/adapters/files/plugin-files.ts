import { isUtf8 } from 'node:buffer';
import {
  accessSync,
  constants,
  lstatSync,
  readdirSync,
  readFileSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { TriggerdError } from '../../domain/errors.ts';
import { isPluginName } from '../../domain/names.ts';
import type { PluginFiles, PluginSource } from '../../plugin/ports.ts';
import { isMissing } from '../system/is-missing.ts';

/** `PluginFiles` on a folder. Every look-up reads the disk: plugins may be installed while the daemon runs. */
export const createPluginFiles = (root: string): PluginFiles => ({
  find: (name) => findPlugin(root, name),
  names: () => pluginNames(root),
});

const findPlugin = (root: string, name: string): PluginSource => {
  const executable = executableOf(root, name);
  if (executable === undefined)
    throw new TriggerdError(
      'plugin-not-found',
      `no plugin “${name}”: there is no file ${resolvedEndpoints(root, name).join(', nor ')}`,
    );
  const realRoot = realpathSync(root);
  const program = checkedRealPath(realRoot, executable);
  checkExecutable(executable);
  const manifest = manifestOf(realRoot, { folder: join(root, name), program });
  const { ino, size, mtimeMs } = statSync(executable);
  return { name, executable: program, version: `${ino} ${size} ${mtimeMs}`, ...manifest };
};

/** The folder's executable is named like the folder. A file directly in the plugins folder is a plugin as well. */
const resolvedEndpoints = (root: string, name: string): string[] => [
  join(root, name, basename(name)),
  ...(name.includes('/') ? [] : [join(root, name)]),
];

const executableOf = (root: string, name: string): string | undefined =>
  resolvedEndpoints(root, name).find((path) => statOf(path)?.isFile() === true);

/**
 * The manifest of the plugin's folder, else that beside the program which a link leads to: a link to a program takes no
 * rules away from it. A file directly in the plugins folder shares that folder with others, so it has none.
 */
const manifestOf = (
  realRoot: string,
  { folder, program }: { readonly folder: string; readonly program: string },
): Pick<PluginSource, 'manifestFile' | 'manifestText'> => {
  const manifestFile = [folder, dirname(program)]
    .filter((place) => isFolder(place) && realpathSync(place) !== realRoot)
    .map((place) => join(place, 'plugin.toml'))
    .find(isThere);
  if (manifestFile === undefined) return { manifestFile: program, manifestText: null };
  if (statOf(manifestFile)?.isFile() !== true)
    throw new TriggerdError('plugin-manifest', `${manifestFile} is a broken link, or no file`);
  const bytes = readFileSync(checkedRealPath(realRoot, manifestFile));
  if (!isUtf8(bytes)) throw new TriggerdError('plugin-manifest', `${manifestFile} is not UTF-8`);
  return { manifestFile, manifestText: bytes.toString() };
};

const isFolder = (path: string): boolean => statOf(path)?.isDirectory() === true;

/** A manifest that is a broken link is there: a plugin never loses its rules because nobody can read them. */
const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

const statOf = (path: string): Stats | undefined => {
  try {
    return statSync(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
};

/** What the path really is, once every folder on the way to it inside the plugins folder is safe. */
const checkedRealPath = (realRoot: string, path: string): string => {
  const real = realpathSync(path);
  if (!real.startsWith(realRoot + sep))
    throw new TriggerdError('plugin-unsafe', `${path} leads outside the plugins folder ${realRoot}`);
  for (let at = real; at.length >= realRoot.length; at = dirname(at)) checkOwner(at);
  // Whoever can rename the plugins folder itself can put another in its place.
  for (let at = dirname(realRoot); at !== '/'; at = dirname(at)) checkOwner(at, isSticky(at));
  return real;
};

/** Whoever can write these files can run anything as the daemon: only root and the daemon's own user may. */
const checkOwner = (path: string, isShared = false): void => {
  const { uid, mode } = statSync(path);
  const ours = uid === 0 || uid === process.getuid?.();
  if (!ours) throw new TriggerdError('plugin-unsafe', `${path} belongs to user ${uid}`);
  if ((mode & 0o022) !== 0 && !isShared)
    throw new TriggerdError('plugin-unsafe', `${path} can be written by its group or by others`);
};

/** As `/tmp` is: everybody may add to it, and only the owner rename or remove. */
const isSticky = (path: string): boolean => (statSync(path).mode & 0o1000) !== 0;

const checkExecutable = (path: string): void => {
  try {
    accessSync(path, constants.X_OK);
  } catch (cause) {
    throw new TriggerdError('plugin-unsafe', `${path} is not executable`, { cause });
  }
  if ((statSync(path).mode & 0o6000) !== 0)
    throw new TriggerdError('plugin-unsafe', `${path} is setuid or setgid: jobs must run as the daemon’s user`);
};

const pluginNames = (root: string): string[] => {
  if (!isFolder(root)) return [];
  const files = readdirSync(root).filter((name) => isPluginName(name) && isProgram(join(root, name)));
  return [...files, ...folderPlugins(root, '')].sort();
};

/** A source file or a README beside the plugins is none of them. */
const isProgram = (path: string): boolean => {
  const found = statOf(path);
  return found?.isFile() === true && (found.mode & 0o111) !== 0;
};

const folderPlugins = (root: string, below: string): string[] =>
  readdirSync(join(root, below), { withFileTypes: true })
    .filter((item) => item.isDirectory() && !item.name.startsWith('.'))
    .flatMap((item) => {
      const name = below === '' ? item.name : `${below}/${item.name}`;
      const isPlugin = isThere(join(root, name, 'plugin.toml')) || isProgram(join(root, name, item.name));
      return [...(isPlugin ? [name] : []), ...folderPlugins(root, name)];
    });
