import { userSettings } from '../../../console/settings.ts';
import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { findTeam, type TeamOption } from '../../registry/find-team.ts';
import { addSettings, settingsOf } from '../../registry/settings.ts';
import { addTeamOption } from '../../registry/team-option.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { readNewSecret, type SecretOption } from '../../support/read-secret.ts';

const help: HelpText = {
  details: `
The password must have at least 12 characters. It is asked for on the terminal, or read from stdin.`,
  examples: [
    'trigger user add hp --role admin',
    'trigger user add deploy --team team1 --password-stdin < deploy.password',
  ],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  addSettings(addTeamOption(command.argument('<user>', 'identity')), userSettings)
    .option('--password-stdin', 'read the password from stdin')
    .action(
      run(async (session, identity: string, options: TeamOption & SecretOption) => {
        const team = await findTeam(session, options);
        const secret = await readNewSecret(options, identity);
        return change(session, { verb: 'user.add', team, identity, secret, ...settingsOf(userSettings, options) });
      }),
    );
};
