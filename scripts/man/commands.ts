/** What commander knows of a command, as parts of a manual page. */
import type { Command, Option } from 'commander';
import { helpOf, paragraphsOf } from '../../src/cli/support/options.ts';
import { example, item, paragraph, subsection } from './roff.ts';

/** The command itself and all below it, each complete. */
export const describeCommands = (commands: readonly Command[]): string[] =>
  commands.flatMap((command) =>
    command.commands.length > 0
      ? [...(helpOf(command) === undefined ? [] : describe(command)), ...describeCommands(command.commands)]
      : describe(command),
  );

const describe = (command: Command): string[] => {
  const help = helpOf(command);
  return [
    subsection(usageOf(command)),
    paragraph(command.description()),
    ...paragraphsOf(help?.details).map(paragraph),
    ...command.registeredArguments
      .filter(({ description }) => description !== '')
      .map((argument) => item(argument.name(), `${sentence(argument.description)}`)),
    ...describeOptions(command.options.filter(({ hidden }) => !hidden)),
    ...(help === undefined ? [] : [example(help.examples)]),
  ];
};

export const describeOptions = (options: readonly Option[]): string[] =>
  options.map(({ flags, description, defaultValue }) => {
    const preset = typeof defaultValue === 'number' ? ` (default: ${defaultValue})` : '';
    return item(flags, sentence(`${description}${preset}`));
  });

const usageOf = (command: Command): string => {
  const names: string[] = [];
  for (let each: Command | null = command; each !== null; each = each.parent) names.unshift(each.name());
  return `${names.join(' ')} ${command.usage()}`;
};

const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
