/** What `--help` and the man page say about a command beyond its arguments and options. */
import type { Command } from 'commander';

export interface HelpText {
  /** Paragraphs, separated by an empty line; wrapped where they are shown. */
  readonly details?: string;
  /** Complete commands, one per line, at most 71 characters each: a manual page is indented. */
  readonly examples: readonly string[];
}

const texts = new WeakMap<Command, HelpText>();

export const addHelp = (command: Command, text: HelpText): Command => {
  texts.set(command, text);
  return command.addHelpText('after', () => renderHelp(command, text));
};

export const helpOf = (command: Command): HelpText | undefined => texts.get(command);

export const paragraphsOf = (details: string | undefined): string[] =>
  details === undefined
    ? []
    : details.split(/\n{2,}/).map((paragraph) => paragraph.trim().replaceAll(/\s*\n\s*/g, ' '));

const renderHelp = (command: Command, { details, examples }: HelpText): string => {
  const help = command.createHelp();
  const columns = command.configureOutput().getOutHelpWidth?.() ?? 80;
  const paragraphs = paragraphsOf(details).map((paragraph) => `\n${help.boxWrap(paragraph, columns)}\n`);
  return `${paragraphs.join('')}\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}`;
};
