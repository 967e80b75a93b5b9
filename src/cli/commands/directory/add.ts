import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { findTeam, type TeamOption } from '../../registry/find-team.ts';
import { addSettings, settingsOf } from '../../registry/settings.ts';
import { addTeamOption } from '../../registry/team-option.ts';
import { addHelp, type HelpText } from '../../support/help.ts';

const help: HelpText = {
  examples: ['trigger directory add /alarms', 'trigger directory add /alarms/night --mode 0750'],
};

const settings = { mode: 'mode' } as const;

export const define: Define = (command, run) => {
  addHelp(command, help);
  addSettings(addTeamOption(command.argument('<path>', 'path')), settings).action(
    run(async (session, path: string, options: TeamOption) => {
      const team = await findTeam(session, options);
      return change(session, { verb: 'directory.add', team, path, ...settingsOf(settings, options) });
    }),
  );
};
