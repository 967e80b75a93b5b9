import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Option } from 'commander';
import { workingFolder } from '../../adapters/system/exact-text.ts';
import type { PluginTestView, PluginView } from '../../api/contract/plugins.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { canonicalPluginName } from '../../plugin/plugin-name.ts';
import { printing, type Verbs } from '../command.ts';
import { renderPlugin, renderPlugins, renderPluginTest } from '../render/plugin.ts';
import { query } from '../support/options.ts';
import { print, type Session } from '../support/session.ts';

const about = 'path below the plugins folder';

interface NewOptions {
  readonly lang: Language;
  readonly dir?: string;
}

const makeNew = async (session: Session, given: string, { lang, dir }: NewOptions): Promise<void> => {
  const name = canonicalPluginName(given);
  const configured = await configuredFolder(session);
  const root = dir === undefined ? existing(configured) : resolve(workingFolder(), dir);
  const folder = join(root, name);
  const files = makePlugin(root, name, lang);
  await print(session, { name, folder, files }, () => folder);
  if (!session.json) session.terminal.err(nextSteps(name, files, root === configured ? null : root));
};

const configuredFolder = async ({ configFile, env }: Session): Promise<string> => {
  const { loadConfig } = await import('../support/load-config.ts');
  return loadConfig({ file: configFile, env }).config.plugins.path;
};

/** Making it here would hide the plugins that triggerd brings: it takes them from elsewhere only where this is missing. */
const existing = (folder: string): string => {
  if (existsSync(folder)) return folder;
  throw new TriggerdError('plugin-not-made', `there is no plugins folder ${folder}`);
};

const nextSteps = (name: string, files: readonly string[], elsewhere: string | null): string => `
Made ${files.join(', ')}. Change them, and try it:
${elsewhere === null ? '' : `  (the daemon looks for plugins in [plugins] path: set that to ${elsewhere}, or move the folder)\n`}\
  trigger plugin test ${name}
  trigger queue add --plugin ${name} --arg name=Ada
`;

export const verbs: Verbs = {
  list: {
    summary: 'list the plugins',
    examples: ['trigger plugin list'],
    define: printing('/v1/plugins', renderPlugins),
  },
  info: {
    summary: 'show a plugin and its arguments',
    examples: ['trigger plugin info puppet'],
    define: (command, run) =>
      command.argument('<plugin>', about).action(
        run(async (session, name: string) => {
          const plugin = await session.client.request<PluginView>(`/v1/plugin${query({ name })}`);
          await print(session, plugin, ({ columns }) => renderPlugin(plugin, columns));
        }),
      ),
  },
  test: {
    summary: 'run the test in a plugin’s manifest',
    details: `
Runs the test in the plugin’s manifest on this node, for real. Exits 1 unless the result is the one in the manifest.`,
    examples: ['trigger plugin test echo'],
    define: (command, run) =>
      command.argument('<plugin>', about).action(
        run(async (session, name: string) => {
          const path = `/v1/plugin/test${query({ name })}`;
          const test = await session.client.request<PluginTestView>(path, { method: 'POST', patient: true });
          await print(session, test, () => renderPluginTest(test));
          return test.ok ? 0 : 1;
        }),
      ),
  },
  new: {
    summary: 'create a plugin from a template',
    details: `
Creates a working plugin as a template: its manifest, its executable and a README. Prints its folder. Existing plugins are
never changed. Not every machine has Python; each has sh, and Node.js comes with triggerd.`,
    examples: ['trigger plugin new disk/usage', 'trigger plugin new report --lang python --dir ./plugins'],
    define: (command, run) =>
      command
        .argument('<name>', about)
        .addOption(new Option('--lang <language>', 'language of the plugin').choices(languages).default('sh'))
        .option('--dir <folder>', 'plugins folder (default: [plugins] path)')
        .action(run(makeNew)),
  },
};

const languages = ['sh', 'python', 'node'] as const;
type Language = (typeof languages)[number];

const templates = join(import.meta.dirname, '../../../templates/plugin');

/**
 * Makes the plugin `name` below the folder `root` and gives its files' names; a half-made one is removed. Throws
 * `plugin-exists`, `plugin-not-made`.
 */
const makePlugin = (root: string, name: string, language: Language): string[] => {
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
