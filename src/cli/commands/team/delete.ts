import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../help.ts';
import { change } from '../../registry/change.ts';

const help: HelpText = {
  details: `
Only an empty one: its workers, services, definitions and directories go first. Users that are in no other team go with
it.`,
  examples: ['trigger team delete team2'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('<team>', 'its name')
    .action(run(async (session, name: string) => change(session, { verb: 'team.delete', name })));
};
