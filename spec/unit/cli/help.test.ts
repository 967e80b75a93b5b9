import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { triggerdCommand } from '../../../src/cli/command-lines/triggerd.ts';
import { buildProgram, completed } from '../../../src/cli/program.ts';
import { helpOf } from '../../../src/cli/support/options.ts';

const all = async (command: Command): Promise<Command[]> => {
  await completed(command);
  const below = await Promise.all(command.commands.map(all));
  return [command, ...below.flat()];
};

const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;

/** As on a terminal of 80 columns. */
const shown = (command: Command): string => {
  const parts: string[] = [];
  command.configureOutput({ getOutHelpWidth: () => 80, writeOut: (part) => void parts.push(part) }).outputHelp();
  return parts.join('');
};

const commands = [...(await all(buildProgram(() => async () => undefined))), triggerdCommand()];

describe('the help of', () => {
  it.each(commands.map((command) => [pathOf(command), command] as const))(
    'the help of %s fits 80 columns',
    (_, command) => {
      for (const line of shown(command).split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    },
  );

  const withoutVerbs = commands.filter((each) => each.commands.length === 0);
  it.each(withoutVerbs.map((command) => [pathOf(command), command] as const))(
    'the help of %s has examples',
    (path, command) => {
      const { examples = [] } = helpOf(command) ?? {};
      expect(examples.join('\n')).toContain(path);
      expect(shown(command)).toContain(`Examples:\n  ${examples[0]}\n`);
    },
  );
});
