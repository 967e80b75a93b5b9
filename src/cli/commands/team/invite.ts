import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { addSettings, settingsOf } from '../../registry/settings.ts';
import { addHelp, type HelpText } from '../../support/help.ts';

const help: HelpText = {
  details: `
Who is asked here is a member at once; who is asked by an admin of the team, in the console, has to accept.`,
  examples: ['trigger team invite team2 hp', 'trigger team invite team2 hp --role admin'],
};

const settings = { role: 'role' } as const;

export const define: Define = (command, run) => {
  addHelp(command, help);
  addSettings(command.argument('<team>', 'its name').argument('<user>', 'who shall join'), settings).action(
    run(async (session, team: string, identity: string, options: object) => {
      const { role = 'member' } = settingsOf(settings, options);
      return change(session, { verb: 'team.invite', team, identity, role });
    }),
  );
};
