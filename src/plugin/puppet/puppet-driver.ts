import { TriggerdError } from '../../domain/errors.ts';
import type { Job, JobRequest } from '../../domain/job.ts';
import type { JobResult } from '../../domain/result.ts';
import type { Conclusion } from '../../queue/ports/plugins.ts';
import type { RunExit, RunTerms } from '../../queue/ports/runner.ts';
import { commandText } from '../command-text.ts';
import { concludeFromExit, type Driver } from '../drivers.ts';
import type { Plugin } from '../manifest.ts';
import type { PuppetHost, PuppetSettings } from '../ports.ts';
import {
  completePuppetCommand,
  jobIdIn,
  type PuppetCommand,
  readPuppetCommand,
  type SeenCommand,
  settingsQuery,
  tagsIn,
} from './command-line.ts';
import { agentObstacle } from './obstacle.ts';
import { type OwnReport, ownReportIn, ownReportOf } from './own-report.ts';
import { type FoundFacts, type Identity, type PuppetRunFacts, readRunFacts } from './run-report.ts';

export interface PuppetDriverOptions {
  readonly host: PuppetHost;
  readonly node: string;
  /** `[watch] run_cmd` in words: what a job that is accepted now runs, unless it brings a command of its own. */
  readonly runCommand: readonly string[];
  /** The first error that a job has written, in one line; null: none. `folder` is the job's. */
  firstError(folder: string): Promise<string | null>;
}

/**
 * Driver of the plugin `puppet`. With `--detailed-exitcodes` 0 and 2 are success and 4 and 6 failure (the manifest says
 * so); 1 is failure *or not attempted*, told apart by Puppet's lock files. A run that was not attempted is deferred: still owed.
 */
export const createPuppetDriver = ({ host, node, runCommand, firstError }: PuppetDriverOptions): Driver => {
  const wordsOf = ({ argv, runCommand: accepted }: JobRequest): readonly string[] =>
    argv.length > 0 ? argv : (accepted ?? runCommand);
  const commandOf = ({ request }: Pick<Job, 'request'>): PuppetCommand => readPuppetCommand(wordsOf(request));
  const settingsOf = async (command: PuppetCommand): Promise<PuppetSettings | undefined> => {
    const query = settingsQuery(command);
    return query === undefined ? undefined : host.settings(query);
  };
  const jobIdOf = (job: Pick<Job, 'id' | 'attempt'>): string => `triggerd-${job.id}.${job.attempt}@${node}`;

  const obstacleOf = async (command: PuppetCommand) => {
    if (seenIn(command)?.kind !== 'agent') return null;
    const settings = await settingsOf(command);
    return settings === undefined ? null : agentObstacle(host, settings);
  };

  const argvOf = (job: Pick<Job, 'id' | 'attempt' | 'request'>, ownReport?: OwnReport): [string, ...string[]] => {
    const { noop, args } = job.request;
    const options = { jobId: jobIdOf(job), noop, args, ownReport };
    const [program = '', ...rest] = completePuppetCommand(commandOf(job), options);
    return [program, ...rest];
  };

  /** Null for what is not Puppet as far as we can see. */
  const factsOf = async (command: PuppetCommand, job: Job, runExit: RunExit): Promise<FoundFacts | null> => {
    const seen = seenIn(command);
    if (seen === undefined || runExit.exit.kind === 'not-started') return null;
    const settings = await settingsOf(command);
    if (settings === undefined)
      return { kind: 'none', missing: 'the path of Puppet’s reports is not known: Puppet did not answer' };
    const limits = {
      tags: (tagsIn(seen, 'tags') ?? settings.tags) || null,
      skip_tags: (tagsIn(seen, 'skip_tags') ?? settings.skipTags) || null,
    };
    return readRunFacts(host, settings, identityOf(command, seen, job, runExit), limits);
  };

  const check = (_plugin: Plugin, request: JobRequest): void => {
    const { kind, argv } = commandOf({ request });
    if (argv.length === 0) throw new TriggerdError('plugin-arguments', '[watch] run_cmd is empty');
    const wishes = [...(request.noop ? ['noop'] : []), ...Object.keys(request.args)];
    if (kind !== 'other' || wishes.length === 0) return;
    const command = commandText(argv);
    throw new TriggerdError(
      'plugin-arguments',
      `“${command}” is neither “puppet agent” nor “puppet apply”, so it cannot be given ${wishes.join(', ')}`,
    );
  };

  const concluded = async (job: Job, runExit: RunExit, terms: RunTerms): Promise<Conclusion> => {
    const conclusion = concludeFromExit(runExit, terms);
    // What was started, whatever `run_cmd` is by now.
    const command = readPuppetCommand(terms.argv);
    const lock = conclusion.result.kind === 'failed' ? seenIn(command)?.prefix?.lock : undefined;
    if (lock && conclusion.result.kind === 'failed' && conclusion.result.exitCode === lock.exitCode)
      return {
        kind: 'deferred',
        deferral: { reason: `another process holds the lock ${lock.path}`, paths: [lock.path] },
      };
    if (conclusion.result.kind === 'failed' && conclusion.result.exitCode === 1) {
      const inTheWay = await obstacleOf(command);
      if (inTheWay !== null) return { kind: 'deferred', deferral: inTheWay };
    }
    const found = await factsOf(command, job, runExit);
    const isWell = conclusion.result.kind === 'succeeded';
    const result = judgeRun(conclusion.result, found, isWell ? null : await firstError(job.folder));
    return { ...conclusion, result, details: detailsOf(found) };
  };

  return {
    check,
    settled: (request) => (request.argv.length > 0 ? request : { ...request, runCommand }),
    argv: (_plugin, job) => argvOf(job),
    startArgv: async (_plugin, job) => {
      const command = commandOf(job);
      const settings = command.kind === 'apply' ? await settingsOf(command) : undefined;
      return argvOf(job, settings === undefined ? undefined : ownReportOf(job, settings.lastRunReport));
    },
    shown: (_plugin, request) => {
      const argv = wordsOf(request);
      return commandText(request.noop ? [...argv, '--noop'] : argv);
    },
    obstacle: async (job) => obstacleOf(commandOf(job)),
    conclude: async (job, runExit, terms) => {
      const own = ownReportIn(terms.argv, job);
      try {
        return await concluded(job, runExit, terms);
      } finally {
        // Monitoring reads it there, whatever came of the run.
        if (own !== undefined) await host.moveReport(own.path, own.standard);
      }
    },
  };
};

const seenIn = (command: PuppetCommand): SeenCommand | undefined =>
  command.kind === 'other' ? command.inner : command;

const identityOf = (command: PuppetCommand, seen: SeenCommand, job: Job, runExit: RunExit): Identity => {
  const own = ownReportIn(command.argv, job);
  if (own !== undefined) return { kind: 'own-file', path: own.path };
  const jobId = jobIdIn(seen);
  if (seen.kind === 'agent' && jobId?.startsWith('triggerd-')) return { kind: 'job-id', jobId };
  const { startedAt, finishedAt, exit } = runExit;
  // A shell may end with something else than Puppet did.
  const exitCode = command.kind === 'other' || exit.kind !== 'exited' ? null : exit.code;
  return { kind: 'times', from: startedAt, to: finishedAt, exitCode };
};

/**
 * The result. Where a wrapper or a shell has swallowed Puppet's exit code, the one that Puppet has with `--detailed-exitcodes` stands
 * for it. `errorLine` is the first error of the output.
 */
const judgeRun = (plain: JobResult, found: FoundFacts | null, errorLine: string | null): JobResult => {
  const facts = found?.kind === 'found' ? found.facts : null;
  const reason = facts?.error ?? errorLine;
  if (plain.kind === 'succeeded' && facts?.status === 'failed') {
    const exitCode = exitCodeOf(facts);
    const said = `exit ${plain.exitCode}, but Puppet’s report says that the run failed`;
    return { kind: 'failed', exitCode, reason: reason === null ? said : `${said}: ${reason}` };
  }
  if (plain.kind !== 'failed' || plain.reason !== undefined || reason === null) return plain;
  return { ...plain, reason };
};

const exitCodeOf = ({ changed }: PuppetRunFacts): number => ((changed ?? 0) > 0 ? 6 : 4);

const detailsOf = (found: FoundFacts | null): Record<string, unknown> => {
  if (found === null) return {};
  return { puppet: found.kind === 'found' ? found.facts : { missing: found.missing } };
};
