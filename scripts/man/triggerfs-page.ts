import type { Command } from 'commander';
import { helpOf, paragraphsOf } from '../../src/cli/support/help.ts';
import { describeOptions } from './commands.ts';
import { example, item, type PageTitle, page, paragraph, section, text, title } from './roff.ts';

/** The page of one of the commands that triggerFS has, from what its `--help` knows. `about` is the line of its name. */
export const triggerfsPage = (command: Command, about: string, of: Pick<PageTitle, 'date' | 'version'>): string => {
  const help = helpOf(command);
  return page(
    title({ name: command.name(), section: 1, ...of }),
    section('name'),
    `${command.name()} \\- ${text(about)}`,
    section('synopsis'),
    `.B ${command.name()}\n[options]`,
    section('description'),
    paragraph(command.description()),
    paragraphsOf(help?.details).map(paragraph),
    section('options'),
    describeOptions(command.options),
    section('files'),
    item('$HOME/triggerfs.toml', 'The configuration, where there is one; see `triggerd.toml`(5).'),
    item('/etc/triggerd/triggerd.toml', 'The configuration otherwise.'),
    section('examples'),
    example(help?.examples ?? []),
    section('see also'),
    '.BR trigger (1),\n.BR triggerd (8),\n.BR triggerd.toml (5)',
  );
};
