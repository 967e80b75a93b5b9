import type { Command } from 'commander';
import { buildProgram, completed, exitCodes, exitCodesOfJobs } from '../../src/cli/program.ts';
import { helpOf } from '../../src/cli/support/options.ts';
import { describeCommands, describeOptions } from './commands.ts';
import { example, item, type PageTitle, page, paragraph, section, title } from './roff.ts';

/** trigger(1). */
export const triggerPage = async (of: Pick<PageTitle, 'date' | 'version'>): Promise<string> => {
  const program = buildProgram(() => async () => undefined);
  await completeAll(program);
  return page(
    title({ name: 'trigger', section: 1, ...of }),
    section('name'),
    'trigger \\- fire triggers, and manage the job queues of a node',
    section('synopsis'),
    '.B trigger\n[options] \\fIcommand\\fP [\\fIargument\\fP ...]',
    section('description'),
    paragraph(
      'The command uses the control socket of this node’s `triggerd`(8). Data goes to standard output, messages go to standard error. Colours appear only on a terminal. Durations are written as `10s`, `5m` or `1h30m`.',
    ),
    section('options'),
    paragraph('These options can stand before or after any command.'),
    describeOptions(program.options),
    section('commands'),
    describeCommands(program.commands),
    section('exit status'),
    exitCodes.map(([code, means]) => item(String(code), means)),
    paragraph(exitCodesOfJobs),
    section('environment'),
    item('TRIGGERD_CONFIG', 'The configuration file, if `--config` is not given.'),
    item('TRIGGERD_SOCKET', 'The daemon’s control socket, if `--socket` is not given.'),
    item('NO_COLOR', 'Any value turns colours off.'),
    item('COLUMNS', 'The maximum width of tables.'),
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
