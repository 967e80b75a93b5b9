import { descriptionSetting } from '../../../console/settings.ts';
import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { findTeam, type TeamOption } from '../../registry/find-team.ts';
import { addSettings, settingsOf } from '../../registry/settings.ts';
import { addTeamOption } from '../../registry/team-option.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { workerSection } from './worker-section.ts';

const help: HelpText = {
  details: `
Prints the section for the worker’s configuration, with its token. The token is shown only once: the registry keeps only its
hash.`,
  examples: [
    'trigger worker add demo01',
    'trigger worker add demo01 --team team1 >> triggerfs.toml',
    'trigger worker add demo01 --json | jq -r .token',
  ],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  addSettings(addTeamOption(command.argument('<worker>', 'identity')), descriptionSetting).action(
    run(async (session, identity: string, options: TeamOption) => {
      const team = await findTeam(session, options);
      const given = settingsOf(descriptionSetting, options);
      return change(session, { verb: 'worker.add', team, identity, ...given }, (row) => workerSection(team, row));
    }),
  );
};
