import { descriptionSetting } from '../../../console/settings.ts';
import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { findTeam, type TeamOption } from '../../registry/find-team.ts';
import { addSettings, settingsOf } from '../../registry/settings.ts';
import { addTeamOption } from '../../registry/team-option.ts';
import { addHelp, type HelpText } from '../../support/help.ts';

const help: HelpText = { examples: ["trigger worker set demo01 --description 'rack 7'"] };

export const define: Define = (command, run) => {
  addHelp(command, help);
  addSettings(addTeamOption(command.argument('<worker>', 'identity')), descriptionSetting).action(
    run(async (session, identity: string, options: TeamOption) => {
      const team = await findTeam(session, options);
      return change(session, { verb: 'worker.set', team, identity, ...settingsOf(descriptionSetting, options) });
    }),
  );
};
