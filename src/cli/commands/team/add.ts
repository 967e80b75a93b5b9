import { descriptionSetting } from '../../../console/settings.ts';
import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { addSettings, settingsOf } from '../../registry/settings.ts';
import { addHelp, type HelpText } from '../../support/help.ts';

const help: HelpText = {
  details: `
The new team has no members. \`trigger user add\` creates a member; \`trigger team invite\` adds a user of another team.`,
  examples: ['trigger team add team2'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  addSettings(command.argument('<name>', 'name'), descriptionSetting).action(
    run(async (session, name: string, options: object) =>
      change(session, { verb: 'team.add', name, ...settingsOf(descriptionSetting, options) }),
    ),
  );
};
