import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { addHelp, type HelpText } from '../../support/help.ts';

const help: HelpText = {
  details: `
The team must be empty: first delete its workers, services, definitions and directories, or use --force. Users that are in
no other team are deleted too.`,
  examples: ['trigger team delete team2', 'trigger team delete team2 --force'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('<team>', 'name')
    .option('--force', 'delete the content too')
    .action(
      run(async (session, name: string, { force }: { readonly force?: true }) =>
        change(session, { verb: 'team.delete', name, ...(force === undefined ? {} : { force }) }),
      ),
    );
};
