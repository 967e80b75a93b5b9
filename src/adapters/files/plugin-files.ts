import { readdirSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { TriggerdError } from '../../domain/errors.ts';
import type { PluginFiles, PluginSource } from '../../plugin/ports.ts';

/** `PluginFiles` on a folder. Every look-up reads the disk: plugins may be installed while the daemon runs. */
export const createPluginFiles = (root: string): PluginFiles => ({
  find: (name) => findPlugin(root, name),
  names: () => pluginNames(root, '').sort(),
});

const findPlugin = (root: string, name: string): PluginSource => {
  const folder = join(root, name);
  const executable = join(folder, basename(name));
  const manifestFile = join(folder, 'plugin.toml');
  const manifest = statOf(manifestFile);
  const program = statOf(executable);
  if (manifest === undefined || program === undefined || !program.isFile() || !manifest.isFile())
    throw new TriggerdError('plugin-not-found', `no plugin “${name}”: ${executable} or its plugin.toml does not exist`);
  checkInside(root, executable);
  for (const path of [executable, manifestFile, ...foldersUpTo(root, folder)]) checkOwner(path);
  return { name, executable: realpathSync(executable), manifestFile, manifestText: readFileSync(manifestFile, 'utf8') };
};

const statOf = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false });

/** A link may not lead out of the plugins folder. */
const checkInside = (root: string, path: string): void => {
  if (!realpathSync(path).startsWith(realpathSync(root) + sep))
    throw new TriggerdError('plugin-unsafe', `${path} leads outside the plugins folder ${root}`);
};

const foldersUpTo = (root: string, folder: string): string[] => {
  const folders = [folder];
  for (let at = folder; at !== root && at.startsWith(root); at = dirname(at)) folders.push(dirname(at));
  return folders;
};

/** Whoever can write these files can run anything as the daemon: only root and the daemon's own user may. */
const checkOwner = (path: string): void => {
  const { uid, mode } = statSync(path);
  const ours = uid === 0 || uid === process.getuid?.();
  if (!ours) throw new TriggerdError('plugin-unsafe', `${path} belongs to user ${uid}`);
  if ((mode & 0o022) !== 0)
    throw new TriggerdError('plugin-unsafe', `${path} can be written by its group or by others`);
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
