import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { addHelp, type HelpText } from '../../support/help.ts';

const help: HelpText = {
  details: `
The user stays, but is not in this team any more; an invitation ends likewise.`,
  examples: ['trigger team remove team2 hp'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('<team>', 'its name')
    .argument('<user>', 'who shall leave')
    .action(
      run(async (session, team: string, identity: string) => change(session, { verb: 'team.remove', team, identity })),
    );
};
