import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { workingFolder } from '../../../adapters/system/exact-text.ts';
import { TriggerdError } from '../../../domain/errors.ts';
import { canonicalPluginName } from '../../../plugin/plugin-name.ts';
import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { type Language, languages, makePlugin } from '../../support/plugin-skeleton.ts';
import { print } from '../../support/print.ts';
import type { Session } from '../../support/session.ts';

interface Options {
  readonly lang: Language;
  readonly dir?: string;
}

const help: HelpText = {
  details: `
Creates a working plugin as a template: its manifest, its executable and a README. Prints its folder. Existing plugins are
never changed. Not every machine has Python; each has sh, and Node.js comes with triggerd.`,
  examples: ['trigger plugin new disk/usage', 'trigger plugin new report --lang python --dir ./plugins'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('<name>', 'path below the plugins folder')
    .addOption(new Option('--lang <language>', 'language of the plugin').choices(languages).default('sh'))
    .option('--dir <folder>', 'plugins folder (default: [plugins] path)')
    .action(run(makeNew));
};

const makeNew = async (session: Session, given: string, { lang, dir }: Options): Promise<number> => {
  const name = canonicalPluginName(given);
  const configured = await configuredFolder(session);
  const root = dir === undefined ? existing(configured) : resolve(workingFolder(), dir);
  const folder = join(root, name);
  const files = makePlugin(root, name, lang);
  await print(session, { name, folder, files }, () => folder);
  if (!session.json) session.terminal.err(nextSteps(name, files, root === configured ? null : root));
  return 0;
};

const configuredFolder = async ({ configFile, env }: Session): Promise<string> => {
  const { loadConfig } = await import('../../support/load-config.ts');
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
