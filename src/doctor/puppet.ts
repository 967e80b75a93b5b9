import type { Config } from '../config/schema.ts';
import type { PuppetSettings } from '../plugin/ports.ts';
import { type PuppetCommand, readPuppetCommand, settingsQuery } from '../plugin/puppet/command-line.ts';
import { agentObstacle } from '../plugin/puppet/obstacle.ts';
import { type Finding, fine, unused, warning, wrong } from './finding.ts';
import type { Surroundings } from './ports.ts';

/** Whether what `[watch] run_cmd` says can run: Puppet found, its paths told, nothing in the way of an agent. */
export const checkPuppet = async (
  surroundings: Surroundings,
  { watch }: Config,
  argv: readonly string[],
): Promise<Finding[]> => {
  if (!watch.enabled) return [unused('Puppet', 'this node watches no inbox ([watch] enabled = false)')];
  const command = readPuppetCommand(argv);
  const program = command.kind === 'other' ? (argv[0] ?? '') : (command.argv[command.program] ?? '');
  if (command.kind === 'other') return otherCommand(surroundings, program, watch.run_cmd);
  const version = await surroundings.machine.firstLine(program, ['--version']);
  const query = settingsQuery(command);
  const settings = query === undefined ? undefined : await surroundings.puppet.settings(query);
  if (version === undefined || settings === undefined)
    return [wrong('Puppet', `“${program}” can not be run`, 'Install puppet-agent, or correct [watch] run_cmd.')];
  const found = fine('Puppet', `${version}, “${watch.run_cmd}”, reports in ${folderOf(settings.lastRunReport)}`);
  return [found, ...(await obstacleFindings(surroundings, command, settings))];
};

const otherCommand = async ({ machine }: Surroundings, program: string, runCommand: string): Promise<Finding[]> => {
  const isThere = program.includes('/') ? (await machine.place(program)) !== undefined : true;
  return isThere
    ? [fine('Puppet', `run_cmd is “${runCommand}”: a command of your own`)]
    : [wrong('Puppet', `[watch] run_cmd: there is no ${program}`, 'Correct [watch] run_cmd.')];
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
  return [warning('Puppet', obstacle.reason, remedy)];
};

const folderOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')));
