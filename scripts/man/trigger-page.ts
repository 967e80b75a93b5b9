import type { Command } from 'commander';
import { buildProgram, completed, exitCodes, exitCodesOfJobs } from '../../src/cli/program.ts';
import { helpOf } from '../../src/cli/support/help.ts';
import { describeCommands, describeOptions } from './commands.ts';
import { example, item, type PageTitle, page, paragraph, section, title } from './roff.ts';

/** trigger(1). */
export const triggerPage = async (of: Pick<PageTitle, 'date' | 'version'>): Promise<string> => {
  const program = buildProgram(() => async () => undefined);
  await completeAll(program);
  return page(
    title({ name: 'trigger', section: 1, ...of }),
    section('name'),
    'trigger \\- fire triggers, and look after the queue of jobs and its node',
    section('synopsis'),
    '.B trigger\n[options] \\fIcommand\\fP [\\fIargument\\fP ...]',
    section('description'),
    paragraph(
      'Talks to `triggerd`(8) of this node over its control socket. Data goes to standard output, chatter to standard error. Colours are used on a terminal only. Durations are `10s`, `5m`, `1h30m`.',
    ),
    section('options'),
    paragraph('These stand before or behind any command.'),
    describeOptions(program.options),
    section('commands'),
    describeCommands(program.commands),
    section('exit status'),
    exitCodes.map(([code, means]) => item(String(code), means)),
    paragraph(exitCodesOfJobs),
    section('environment'),
    item('TRIGGERD_CONFIG', 'The configuration file, where `--config` names none.'),
    item('TRIGGERD_SOCKET', 'The daemon’s control socket, where `--socket` names none.'),
    item('NO_COLOR', 'No colours, whatever its value is.'),
    item('COLUMNS', 'The width that tables are cut to.'),
    section('examples'),
    example(helpOf(program)?.examples ?? []),
    section('see also'),
    '.BR triggerd (8),\n.BR triggerd.toml (5)',
  );
};

const completeAll = async (command: Command): Promise<void> => {
  await completed(command);
  for (const each of command.commands) await completeAll(each);
};
