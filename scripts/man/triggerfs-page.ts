import type { Command } from 'commander';
import { helpOf, paragraphsOf } from '../../src/cli/support/options.ts';
import { describeOptions } from './commands.ts';
import { example, item, type PageTitle, page, paragraph, section, text, title } from './roff.ts';

/** The page of a triggerFS command, made from its `--help`. `about` is the text of its NAME line. */
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
    item('$HOME/triggerfs.toml', 'The configuration, if this file exists; see `triggerd.toml`(5).'),
    item('/etc/triggerd/triggerd.toml', 'The configuration otherwise.'),
    section('examples'),
    example(help?.examples ?? []),
    section('see also'),
    '.BR trigger (1),\n.BR triggerd (8),\n.BR triggerd.toml (5)',
  );
};
