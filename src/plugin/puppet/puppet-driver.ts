import { TriggerdError } from '../../domain/errors.ts';
import type { Job, JobRequest } from '../../domain/job.ts';
import type { JobResult } from '../../domain/result.ts';
import type { RunEnding, Verdict } from '../../queue/ports.ts';
import { commandText } from '../command-text.ts';
import { type Driver, plainVerdict } from '../drivers.ts';
import type { Plugin } from '../manifest.ts';
import type { PuppetHost, PuppetSettings } from '../ports.ts';
import { completePuppetCommand, type PuppetCommand, readPuppetCommand, settingsQuery } from './command-line.ts';
import { agentObstacle } from './obstacle.ts';
import { type PuppetRunFacts, readRunFacts } from './run-report.ts';

export interface PuppetDriverOptions {
  readonly host: PuppetHost;
  readonly node: string;
  /** `[watch] run_cmd` in words: what a job runs that brings no command of its own. */
  readonly runCommand: readonly string[];
}

/**
 * Driver of the plugin `puppet`. With `--detailed-exitcodes` 0 and 2 are success and 4 and 6 failure (the manifest says
 * so); 1 is failure *or not attempted*, told apart by Puppet's lock files. A run that was not attempted is deferred: still owed.
 */
export const createPuppetDriver = ({ host, node, runCommand }: PuppetDriverOptions): Driver => {
  const commandOf = (job: Pick<Job, 'request'>): PuppetCommand =>
    readPuppetCommand(job.request.argv.length > 0 ? job.request.argv : runCommand);
  const settingsOf = async (command: PuppetCommand): Promise<PuppetSettings | undefined> => {
    const query = settingsQuery(command);
    return query === undefined ? undefined : host.settings(query);
  };
  const jobIdOf = (job: Pick<Job, 'id' | 'attempt'>): string => `triggerd-${job.id}.${job.attempt}@${node}`;

  const obstacleOf = async (command: PuppetCommand) => {
    if (command.kind !== 'agent') return null;
    const settings = await settingsOf(command);
    return settings === undefined ? null : agentObstacle(host, settings);
  };

  const factsOf = async (command: PuppetCommand, job: Job, ending: RunEnding): Promise<PuppetRunFacts | null> => {
    const settings = await settingsOf(command);
    if (settings === undefined) return null;
    const jobId = command.kind === 'agent' ? jobIdOf(job) : null;
    return readRunFacts(host, settings, ending.startedAt, { noop: job.request.noop, jobId });
  };

  const check = (_plugin: Plugin, request: JobRequest): void => {
    const { kind, argv } = commandOf({ request });
    if (argv.length === 0)
      throw new TriggerdError('plugin-arguments', '[watch] run_cmd is empty: there is nothing to run');
    const wishes = [...(request.noop ? ['noop'] : []), ...Object.keys(request.args)];
    if (kind !== 'other' || wishes.length === 0) return;
    const command = commandText(argv);
    throw new TriggerdError(
      'plugin-arguments',
      `“${command}” is neither “puppet agent” nor “puppet apply”, so it can not be given ${wishes.join(', ')}`,
    );
  };

  return {
    check,
    argv: (_plugin, job) => {
      const { noop, args } = job.request;
      const [program = '', ...rest] = completePuppetCommand(commandOf(job), { jobId: jobIdOf(job), noop, args });
      return [program, ...rest];
    },
    shown: (_plugin, request) => {
      const argv = request.argv.length > 0 ? request.argv : runCommand;
      return commandText(request.noop ? [...argv, '--noop'] : argv);
    },
    obstacle: async (job) => obstacleOf(commandOf(job)),
    conclude: async (job, ending, terms): Promise<Verdict> => {
      const verdict = plainVerdict(ending, terms);
      // What was started, whatever `run_cmd` is by now.
      const command = readPuppetCommand(terms.argv);
      if (verdict.result.kind === 'failed' && verdict.result.exitCode === 1) {
        const inTheWay = await obstacleOf(command);
        if (inTheWay !== null) return { kind: 'deferred', deferral: inTheWay };
      }
      const facts = await factsOf(command, job, ending);
      if (facts === null) return verdict;
      return { ...verdict, result: withReason(verdict.result, facts), details: { puppet: facts } };
    },
  };
};

/** Failed resources say themselves what went wrong; without any there was no catalogue, and the log says why. */
const withReason = (result: JobResult, { error, failed_resources }: PuppetRunFacts): JobResult => {
  const isUnexplained = result.kind === 'failed' && result.reason === undefined && failed_resources.length === 0;
  return isUnexplained && error !== null ? { ...result, reason: error } : result;
};
