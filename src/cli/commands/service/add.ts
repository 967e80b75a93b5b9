import { serviceSettings } from '../../../console/settings.ts';
import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { findTeam, type TeamOption } from '../../registry/find-team.ts';
import { addSettings, settingsOf } from '../../registry/settings.ts';
import { addTeamOption } from '../../registry/team-option.ts';
import { addHelp, type HelpText } from '../../support/help.ts';

const help: HelpText = {
  examples: ['trigger service add demoservice', 'trigger service add reports --algorithm serial --visibility team'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  addSettings(addTeamOption(command.argument('<service>', 'name')), serviceSettings).action(
    run(async (session, name: string, options: TeamOption) => {
      const team = await findTeam(session, options);
      return change(session, { verb: 'service.add', team, name, ...settingsOf(serviceSettings, options) });
    }),
  );
};
