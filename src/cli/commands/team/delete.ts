import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { addHelp, type HelpText } from '../../support/help.ts';

const help: HelpText = {
  details: `
Only an empty one: its workers, services, definitions and directories go first, or with it by --force. Users that are in
no other team go with it.`,
  examples: ['trigger team delete team2', 'trigger team delete team2 --force'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('<team>', 'its name')
    .option('--force', 'with all that it holds')
    .action(
      run(async (session, name: string, { force }: { readonly force?: true }) =>
        change(session, { verb: 'team.delete', name, ...(force === undefined ? {} : { force }) }),
      ),
    );
};
