import type { Define } from '../../command.ts';
import { show } from '../../registry/show.ts';
import { addHelp, type HelpText } from '../../support/help.ts';

const help: HelpText = { examples: ['trigger team show', 'trigger team show team1'] };

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('[team]', 'name')
    .action(run(async (session, name: string | undefined) => show(session, { verb: 'team.list' }, name)));
};
