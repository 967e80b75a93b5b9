import { definitionSettings } from '../../../console/settings.ts';
import type { DefinitionSettings } from '../../../registry/statements.ts';
import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { findTeam, type TeamOption } from '../../registry/find-team.ts';
import { addSettings, settingsOf } from '../../registry/settings.ts';
import { addTeamOption } from '../../registry/team-option.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { list } from '../../support/options.ts';

interface Options extends TeamOption {
  readonly service?: string | false;
  readonly plugin?: string | false;
  readonly removeArg?: readonly string[];
  readonly moveTo?: string;
}

const help: HelpText = {
  examples: [
    'trigger definition set /alarms/disk --plugin log --arg path=/var/log/al',
    'trigger definition set disk --framing line --delivery sync',
    'trigger definition set disk --no-service',
  ],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  addSettings(addTeamOption(command.argument('<definition>', 'path or name')), definitionSettings)
    .option('--no-plugin', 'remove the plugin')
    .option('--service <service>', 'service for requests; team/service for another team’s')
    .option('--no-service', 'remove the service: requests go nowhere')
    .option('--remove-arg <name>', 'remove an argument; repeatable', list)
    .option('--move-to <path>', 'new path')
    .action(
      run(async (session, name: string, options: Options) =>
        change(session, {
          verb: 'definition.set',
          team: await findTeam(session, options),
          name,
          ...changesOf(options),
        }),
      ),
    );
};

const changesOf = (options: Options): DefinitionSettings & { readonly path?: string } => {
  const { service, plugin, removeArg = [], moveTo } = options;
  const given: DefinitionSettings = settingsOf(
    definitionSettings,
    plugin === false ? { ...options, plugin: undefined } : options,
  );
  const removed = Object.fromEntries(removeArg.map((arg) => [arg, null]));
  return {
    ...given,
    ...(removeArg.length === 0 ? {} : { args: { ...given.args, ...removed } }),
    ...(plugin === false ? { plugin: null } : {}),
    ...(service === undefined ? {} : { service: service === false ? null : service }),
    ...(moveTo === undefined ? {} : { path: moveTo }),
  };
};
