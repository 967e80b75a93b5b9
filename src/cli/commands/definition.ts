import { definitionSettings } from '../../console/settings.ts';
import type { DefinitionSettings } from '../../registry/statements.ts';
import type { Verbs } from '../command.ts';
import type { TeamOption } from '../registry/find-team.ts';
import { addSettings, settingsOf } from '../registry/settings.ts';
import { type Argument, type Asked, addTeamOption, change, changing, findTeam, showing } from '../registry/verbs.ts';
import { list } from '../support/options.ts';

const definition: Argument = ['definition', 'path or name'];
const service = ['--service <service>', 'service for requests; team/service for another team’s'] as const;

interface SetOptions {
  readonly service?: string | false;
  readonly plugin?: string | false;
  readonly removeArg?: readonly string[];
  readonly moveTo?: string;
}

const changesOf = (options: SetOptions): DefinitionSettings & { readonly path?: string } => {
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

export const verbs: Verbs = {
  add: {
    summary: 'create a definition',
    details: `
triggerFS calls a definition a trigger: a file that sends what is written to it to a service. Its directory must exist.`,
    examples: ['trigger directory add /alarms', 'trigger definition add /alarms/disk --service ops --plugin log'],
    define: (command, run) =>
      addSettings(
        addTeamOption(command.argument('<path>', 'path, such as /alarms/disk')).option(...service),
        definitionSettings,
      ).action(
        run(async (session, path: string, options: TeamOption & { readonly service?: string }) => {
          const { service } = options;
          const team = await findTeam(session, options);
          const given = settingsOf(definitionSettings, options);
          const target = service === undefined ? {} : { service };
          return change(session, { verb: 'definition.add', team, path, ...given, ...target });
        }),
      ),
  },
  set: {
    summary: 'change or move a definition',
    examples: [
      'trigger definition set /alarms/disk --plugin log --arg path=/var/log/al',
      'trigger definition set disk --framing line --delivery sync',
      'trigger definition set disk --no-service',
    ],
    define: changing(
      definition,
      ({ team, name, options }: Asked<typeof definitionSettings, SetOptions>) => ({
        verb: 'definition.set',
        team,
        name,
        ...changesOf(options),
      }),
      {
        settings: definitionSettings,
        options: (command) =>
          command
            .option('--no-plugin', 'remove the plugin')
            .option(...service)
            .option('--no-service', 'remove the service: requests go nowhere')
            .option('--remove-arg <name>', 'remove an argument; repeatable', list)
            .option('--move-to <path>', 'new path'),
      },
    ),
  },
  show: {
    summary: 'show the definitions, or one',
    examples: ['trigger definition show', 'trigger definition show /alarms/disk'],
    define: showing('definition.list', definition),
  },
  delete: {
    summary: 'delete a definition',
    examples: ['trigger definition delete /alarms/disk'],
    define: changing(definition, ({ team, name }) => ({ verb: 'definition.delete', team, name })),
  },
};
