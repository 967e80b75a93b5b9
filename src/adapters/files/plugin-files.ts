import { isUtf8 } from 'node:buffer';
import { accessSync, constants, readdirSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { TriggerdError } from '../../domain/errors.ts';
import type { PluginFiles, PluginSource } from '../../plugin/ports.ts';

/** `PluginFiles` on a folder. Every look-up reads the disk: plugins may be installed while the daemon runs. */
export const createPluginFiles = (root: string): PluginFiles => ({
  find: (name) => findPlugin(root, name),
  names: () => pluginNames(root, '').sort(),
});

const findPlugin = (root: string, name: string): PluginSource => {
  const executable = join(root, name, basename(name));
  const manifestFile = join(root, name, 'plugin.toml');
  const missing = [executable, manifestFile].filter((path) => statOf(path)?.isFile() !== true);
  if (missing.length > 0)
    throw new TriggerdError(
      'plugin-not-found',
      `no plugin “${name}”: there is no file ${missing.join(' and no file ')}`,
    );
  const realRoot = realpathSync(root);
  const [program, manifest] = [executable, manifestFile].map((path) => checkedRealPath(realRoot, path));
  checkExecutable(executable);
  const { ino, size, mtimeMs } = statSync(executable);
  return {
    name,
    executable: program ?? '',
    version: `${ino} ${size} ${mtimeMs}`,
    manifestFile,
    manifestText: manifestTextOf(name, readFileSync(manifest ?? '')),
  };
};

const manifestTextOf = (name: string, bytes: Buffer): string => {
  if (isUtf8(bytes)) return bytes.toString();
  throw new TriggerdError('plugin-manifest', `plugin “${name}”: plugin.toml is not UTF-8`);
};

const statOf = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false });

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
    throw new TriggerdError('plugin-unsafe', `${path} is setuid or setgid: a job runs as the daemon’s user`);
};

const pluginNames = (root: string, below: string): string[] => {
  const here = join(root, below);
  if (statOf(here)?.isDirectory() !== true) return [];
  return readdirSync(here, { withFileTypes: true })
    .filter((item) => item.isDirectory() && !item.name.startsWith('.'))
    .flatMap((item) => {
      const name = below === '' ? item.name : `${below}/${item.name}`;
      const isPlugin = statOf(join(root, name, 'plugin.toml')) !== undefined;
      return [...(isPlugin ? [name] : []), ...pluginNames(root, name)];
    });
};
