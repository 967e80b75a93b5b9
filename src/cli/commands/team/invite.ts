import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { addSettings, settingsOf } from '../../registry/settings.ts';
import { addHelp, type HelpText } from '../../support/help.ts';

const help: HelpText = {
  details: `
This command makes the user a member at once. An invitation by an admin in the console must be accepted.`,
  examples: ['trigger team invite team2 hp', 'trigger team invite team2 hp --role admin'],
};

const settings = { role: 'role' } as const;

export const define: Define = (command, run) => {
  addHelp(command, help);
  addSettings(command.argument('<team>', 'name').argument('<user>', 'user who joins'), settings).action(
    run(async (session, team: string, identity: string, options: object) => {
      const { role = 'member' } = settingsOf(settings, options);
      return change(session, { verb: 'team.invite', team, identity, role });
    }),
  );
};
