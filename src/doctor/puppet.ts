import { type Config, defaultRunCommand } from '../config/schema.ts';
import { commandText } from '../plugin/command-text.ts';
import type { FileState, PuppetSettings } from '../plugin/ports.ts';
import {
  type PuppetCommand,
  programsOf,
  readPuppetCommand,
  settingsQuery,
  unobservedRuns,
} from '../plugin/puppet/command-line.ts';
import { agentObstacle } from '../plugin/puppet/obstacle.ts';
import { relativePath } from '../plugin/puppet/relative-path.ts';
import { type Finding, findingsIn } from './finding.ts';
import type { Surroundings } from './ports.ts';

const { fine, unused, warning, wrong } = findingsIn('Puppet');

/** Whether what `[watch] run_cmd` says can run: Puppet found, its paths told, nothing in the way of an agent. */
export const checkPuppet = async (
  surroundings: Surroundings,
  { watch, broker }: Pick<Config, 'watch' | 'broker'>,
  argv: readonly string[],
): Promise<Finding[]> => {
  if (!watch.enabled) return [unused('this node watches no inbox ([watch] enabled = false)')];
  const command = readPuppetCommand(argv);
  const unsafe = await unsafeFindings(surroundings, argv);
  const notices = [unobservedRuns(argv), relativePath(argv)].filter((notice) => notice !== null);
  const noticed = notices.map(({ what, remedy }) => warning(what, remedy));
  if (command.kind === 'other')
    return [...(await otherCommand(surroundings, argv[0] ?? '', watch.run_cmd)), ...noticed, ...unsafe];
  const query = settingsQuery(command);
  if (query === undefined) return noticed;
  if (unsafe.length > 0) return unsafe;
  const settings = await surroundings.puppet.settings(query);
  const [program = '', ...words] = query.command;
  const version = settings && (await surroundings.machine.firstLine(program, [...words, '--version']));
  // A broker's file rarely has a section [watch]: nobody said that Puppet should run there.
  const isAsked = broker === undefined || watch.run_cmd !== defaultRunCommand;
  if (version === undefined && !isAsked)
    return [unused('this broker has no Puppet, and [watch] run_cmd names nothing else to run')];
  if (version === undefined || settings === undefined)
    return [
      wrong(`“${commandText(query.command)}” cannot be run`, 'Install puppet-agent, or correct [watch] run_cmd.'),
    ];
  const found = fine(`${version}, “${watch.run_cmd}”, reports in ${folderOf(settings.lastRunReport)}`);
  return [
    found,
    ...noticed,
    ...(await obstacleFindings(surroundings, command, settings)),
    ...(await fileFindings(surroundings, settings)),
  ];
};

/** The configuration is root's word, so the job runs as it says; but whoever can change that program is root, too. */
const unsafeFindings = async ({ puppet }: Surroundings, argv: readonly string[]): Promise<Finding[]> => {
  const why = await puppet.refusal({ programs: programsOf(argv) });
  if (why === null) return [];
  return [
    wrong(
      `others can change a program in run_cmd: ${why}`,
      'Make root own the program and each folder above it, or start the program as its owner (sudo -u USER).',
    ),
  ];
};

/** What is in the place of a summary or report that nobody should read. */
const fileFindings = async ({ puppet }: Surroundings, settings: PuppetSettings): Promise<Finding[]> => {
  const { lastRunFile, lastRunReport, owners } = settings;
  const states: [string, FileState][] = [
    [lastRunFile, await puppet.readSummary(lastRunFile, owners)],
    [lastRunReport, await puppet.readReport(lastRunReport, owners, () => undefined)],
  ];
  return states.flatMap(([path, state]) =>
    state.kind === 'refused'
      ? [
          warning(
            `triggerd does not read ${path}: ${state.why}`,
            'Delete the file: the next Puppet run writes a new one.',
          ),
        ]
      : [],
  );
};

const otherCommand = async ({ machine }: Surroundings, program: string, runCommand: string): Promise<Finding[]> => {
  const isThere = program.includes('/') ? (await machine.file(program)) !== undefined : true;
  return isThere
    ? [fine(`run_cmd is “${runCommand}”, your own command`)]
    : [wrong(`[watch] run_cmd: there is no ${program}`, 'Correct [watch] run_cmd.')];
};

const obstacleFindings = async (
  { puppet }: Surroundings,
  command: PuppetCommand,
  settings: PuppetSettings,
): Promise<Finding[]> => {
  const obstacle = command.kind === 'agent' ? await agentObstacle(puppet, settings) : null;
  if (obstacle === null) return [];
  const remedy = obstacle.paths.includes(settings.disabledLockFile)
    ? 'Firings are deferred until `puppet agent --enable`.'
    : 'Firings are deferred until that run has ended.';
  return [warning(obstacle.reason, remedy)];
};

const folderOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')));
