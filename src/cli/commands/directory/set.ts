import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { findTeam, type TeamOption } from '../../registry/find-team.ts';
import { addSettings, settingsOf } from '../../registry/settings.ts';
import { addTeamOption } from '../../registry/team-option.ts';
import { addHelp, type HelpText } from '../../support/help.ts';

interface Options extends TeamOption {
  readonly moveTo?: string;
}

const help: HelpText = {
  details: `
A directory moves with its content.`,
  examples: ['trigger directory set /alarms --move-to /night/alarms', 'trigger directory set /alarms --mode 0750'],
};

const settings = { mode: 'mode' } as const;

export const define: Define = (command, run) => {
  addHelp(command, help);
  addSettings(addTeamOption(command.argument('<directory>', 'path')), settings)
    .option('--move-to <path>', 'new path')
    .action(
      run(async (session, path: string, options: Options) => {
        const team = await findTeam(session, options);
        const to = options.moveTo === undefined ? {} : { to: options.moveTo };
        return change(session, { verb: 'directory.set', team, path, ...to, ...settingsOf(settings, options) });
      }),
    );
};
