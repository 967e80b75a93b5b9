import { Option } from 'commander';
import { workingFolder } from '../../../adapters/system/exact-text.ts';
import type { JobView, NewJobBody } from '../../../api/contract/jobs.ts';
import { TriggerdError } from '../../../domain/errors.ts';
import { maxWords } from '../../../domain/job.ts';
import type { Define } from '../../command.ts';
import { askingUser } from '../../support/asking-user.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { count, duration, jobId, jobIds, pair } from '../../support/options.ts';
import { print } from '../../support/print.ts';
import type { Session } from '../../support/session.ts';
import { waitForJob } from './wait-for-job.ts';

interface Options {
  readonly queue?: string;
  readonly plugin?: string;
  readonly arg?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly label?: string;
  readonly timeout?: number;
  readonly after?: number;
  readonly ifOk?: readonly number[];
  readonly delay?: number;
  readonly key?: string;
  readonly onKey?: 'replace' | 'keep';
  readonly unlessQueued?: boolean;
  readonly urgent?: boolean;
  readonly noop?: boolean;
  readonly stderr?: boolean;
  readonly slots?: number;
  readonly onFinish?: string;
  readonly wait?: boolean;
}

const help: HelpText = {
  details: `
The command is started unchanged, without a shell, in the working folder. Options come before the command. With --wait:
exits as \`trigger queue wait\` does. With --key or --unless-queued, the printed ID may be the ID of a job that was queued
before.`,
  examples: [
    'trigger queue add -- tar -czf /srv/backup.tgz /srv/data',
    'trigger queue add --label nightly --timeout 1h -- /usr/local/bin/backup',
    "trigger queue add -- sh -c 'pg_dump db | gzip > /srv/db.gz'",
    'trigger queue add --queue requests --plugin echo --arg text=hello',
    'trigger queue add --if-ok 7 -- rm /srv/dump.old',
    'trigger queue add --delay 3h --key reindex -- /usr/local/bin/reindex',
    'trigger queue add --wait -- make test && echo it went well',
  ],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('[command...]', 'command to run')
    .option('--queue <name>', 'queue (default: "default")')
    .option('--plugin <name>', 'plugin to run (default: "command")')
    .option('--args, --arg <name=value>', 'argument of the plugin; repeatable', pair)
    .option('--env <name=value>', 'environment variable of the job; repeatable', pair)
    .option('--label <text>', 'label, shown before the command')
    .option('--timeout <duration>', 'kill the job after this time', duration)
    .option('--after <id>', 'start only after this job has ended', jobId)
    .option('--if-ok <id>', 'start only after this job has succeeded, else skip; repeatable', jobIds)
    .option('--delay <duration>', 'start after this time at the earliest', duration)
    .option('--key <text>', 'allow only one queued job with this key')
    .addOption(
      new Option('--on-key <what>', 'what to do with a queued job of the same key (default: "replace")').choices([
        'replace',
        'keep',
      ]),
    )
    .option('--unless-queued', 'add nothing if a queued job would do the same')
    .option('--stderr', 'keep stderr apart, for `queue cat --stderr`')
    .option('--slots <number>', 'number of slots that the job takes', count)
    .option('--on-finish <program>', 'run this when the job ends, with ID, exit code, output file, command')
    .option('--wait', 'wait until the job has ended; exit with its exit code')
    .option('--urgent', 'add the job at the head of the queue')
    .option('--noop', 'only show what would change; refused without noop mode')
    .passThroughOptions()
    .action(run(add));
};

const add = async (session: Session, argv: readonly string[], options: Options): Promise<number> => {
  if (argv.length === 0 && options.plugin === undefined)
    throw new TriggerdError('usage', 'there is nothing to add: name a command, or a plugin with --plugin');
  if (argv.length > maxWords)
    throw new TriggerdError(
      'usage',
      `the command has ${argv.length} words, but at most ${maxWords} are allowed: put it into a script, or use xargs`,
    );
  if (options.onKey !== undefined && options.key === undefined)
    throw new TriggerdError('usage', '--on-key needs --key');
  const body = { ...newJob(argv, options, workingFolder()), user: askingUser(session.env) };
  const job = await session.client.request<JobView>('/v1/jobs', { method: 'POST', body });
  if (options.wait !== true || !session.json) await print(session, job, () => String(job.id));
  return options.wait === true ? waitForJob(session, job.id) : 0;
};

/** What the daemon calls the options; the global ones are none of its business. */
const fields = {
  queue: 'queue',
  plugin: 'plugin',
  arg: 'args',
  env: 'env',
  label: 'label',
  timeout: 'timeout_ms',
  after: 'after',
  ifOk: 'if_ok',
  delay: 'delay_ms',
  key: 'key',
  onKey: 'on_key',
  unlessQueued: 'unless_queued',
  stderr: 'stderr_apart',
  slots: 'slots',
  onFinish: 'on_finish',
  urgent: 'urgent',
  noop: 'noop',
} as const satisfies Partial<Record<keyof Options, keyof NewJobBody>>;

const newJob = (argv: readonly string[], options: Options, cwd: string): NewJobBody => {
  const given = Object.entries(fields).flatMap(([option, field]) => {
    const value = options[option as keyof typeof fields];
    return value === undefined ? [] : [[field, value]];
  });
  return { plugin: 'command', argv, cwd, ...Object.fromEntries(given) };
};
