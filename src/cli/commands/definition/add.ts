import { definitionSettings } from '../../../console/settings.ts';
import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { findTeam, type TeamOption } from '../../registry/find-team.ts';
import { addSettings, settingsOf } from '../../registry/settings.ts';
import { addTeamOption } from '../../registry/team-option.ts';
import { addHelp, type HelpText } from '../../support/help.ts';

interface Options extends TeamOption {
  readonly service?: string;
}

const help: HelpText = {
  details: `
triggerFS calls a definition a trigger: a file that sends what is written to it to a service. Its directory must exist.`,
  examples: ['trigger directory add /alarms', 'trigger definition add /alarms/disk --service ops --plugin log'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  addTeamOption(command.argument('<path>', 'path, such as /alarms/disk'))
    .option('--service <service>', 'service for requests; team/service for another team’s')
    .action(
      run(async (session, path: string, options: Options) => {
        const { service } = options;
        const team = await findTeam(session, options);
        const given = settingsOf(definitionSettings, options);
        return change(session, {
          verb: 'definition.add',
          team,
          path,
          ...given,
          ...(service === undefined ? {} : { service }),
        });
      }),
    );
  addSettings(command, definitionSettings);
};
