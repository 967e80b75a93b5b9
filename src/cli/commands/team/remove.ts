import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { addHelp, type HelpText } from '../../support/help.ts';

const help: HelpText = {
  details: `
The user is kept, but leaves this team; an open invitation ends.`,
  examples: ['trigger team remove team2 hp'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('<team>', 'name')
    .argument('<user>', 'user who leaves')
    .action(
      run(async (session, team: string, identity: string) => change(session, { verb: 'team.remove', team, identity })),
    );
};
