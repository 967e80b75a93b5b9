import { descriptionSetting } from '../../../console/settings.ts';
import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { addSettings, settingsOf } from '../../registry/settings.ts';
import { addHelp, type HelpText } from '../../support/help.ts';

interface Options {
  readonly owner?: string;
}

const help: HelpText = {
  details: `
The owner can delete the team, and must be one of its admins.`,
  examples: ["trigger team set team1 --description 'the web servers'", 'trigger team set team1 --owner ada'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  addSettings(command.argument('<team>', 'name'), descriptionSetting)
    .option('--owner <user>', 'new owner')
    .action(
      run(async (session, name: string, options: Options) => {
        const owner = options.owner === undefined ? {} : { owner: options.owner };
        return change(session, { verb: 'team.set', name, ...owner, ...settingsOf(descriptionSetting, options) });
      }),
    );
};
