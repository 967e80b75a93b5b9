import { Option } from 'commander';
import { userSettings } from '../../../console/settings.ts';
import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { findTeam, type TeamOption } from '../../registry/find-team.ts';
import { addSettings, settingsOf } from '../../registry/settings.ts';
import { addTeamOption } from '../../registry/team-option.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { readNewSecret, type SecretOption } from '../../support/read-secret.ts';

interface Options extends TeamOption, SecretOption {
  readonly password?: boolean;
  readonly disable?: boolean;
  readonly enable?: boolean;
}

const help: HelpText = {
  details: `
A new password ends all sessions and tokens of the user; --disable does so too.`,
  examples: ['trigger user set hp --role member', 'trigger user set hp --password', 'trigger user set hp --disable'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  addSettings(addTeamOption(command.argument('<user>', 'identity')), userSettings)
    .option('--password', 'ask for a new password on the terminal')
    .option('--password-stdin', 'read a new password from stdin')
    .addOption(new Option('--disable', 'refuse logins of the user').conflicts('enable'))
    .option('--enable', 'allow logins again')
    .action(
      run(async (session, identity: string, options: Options) => {
        const { password, passwordStdin, disable, enable } = options;
        const team = await findTeam(session, options);
        const isNew = password === true || passwordStdin === true;
        return change(session, {
          verb: 'user.set',
          team,
          identity,
          ...settingsOf(userSettings, options),
          ...(isNew ? { secret: await readNewSecret(options, identity) } : {}),
          ...(disable === true ? { disabled: true } : enable === true ? { disabled: false } : {}),
        });
      }),
    );
};
