import { workingFolder } from '../../../adapters/system/exact-text.ts';
import type { JobView, NewJobBody } from '../../../api/contract.ts';
import { TriggerdError } from '../../../domain/errors.ts';
import { maxWords } from '../../../domain/job.ts';
import { askingUser } from '../../asking-user.ts';
import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../help.ts';
import { duration, jobId, pair } from '../../options.ts';
import { print } from '../../print.ts';
import type { Session } from '../../session.ts';

interface Options {
  readonly queue?: string;
  readonly plugin?: string;
  readonly arg?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly label?: string;
  readonly timeout?: number;
  readonly after?: number;
  readonly urgent?: boolean;
  readonly noop?: boolean;
}

const help: HelpText = {
  details: `
The command is started as it stands, without a shell, in the present folder. Options come before the command.`,
  examples: [
    'trigger queue add -- tar -czf /srv/backup.tgz /srv/data',
    'trigger queue add --label nightly --timeout 1h -- /usr/local/bin/backup',
    "trigger queue add -- sh -c 'pg_dump db | gzip > /srv/db.gz'",
    'trigger queue add --queue requests --plugin echo --arg text=hello',
  ],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('[command...]', 'what to run')
    .option('--queue <name>', 'the queue that is meant (default: "default")')
    .option('--plugin <name>', 'the plugin that runs it (default: "command")')
    .option('--args, --arg <name=value>', 'an argument of the plugin; repeatable', pair)
    .option('--env <name=value>', 'a variable of the job’s environment; repeatable', pair)
    .option('--label <text>', 'shown before the command')
    .option('--timeout <duration>', 'end the job after this time', duration)
    .option('--after <id>', 'start only after this job has ended', jobId)
    .option('--urgent', 'put it at the head of the queue')
    .option('--noop', 'only say what would be done; refused if the plugin can’t')
    .passThroughOptions()
    .action(run(add));
};

const add = async (session: Session, argv: readonly string[], options: Options): Promise<number> => {
  if (argv.length === 0 && options.plugin === undefined)
    throw new TriggerdError('usage', 'there is nothing to add: name a command, or a plugin with --plugin');
  if (argv.length > maxWords)
    throw new TriggerdError(
      'usage',
      `the command has ${argv.length} words, ${maxWords} are the most: put it into a script, or use xargs`,
    );
  const body = { ...newJob(argv, options, workingFolder()), user: askingUser(session.env) };
  const job = await session.client.request<JobView>('/v1/jobs', { method: 'POST', body });
  await print(session, job, () => String(job.id));
  return 0;
};

const newJob = (argv: readonly string[], options: Options, cwd: string): NewJobBody => {
  const { arg, timeout, plugin = 'command', ...same } = pickJobOptions(options);
  return {
    ...same,
    plugin,
    argv,
    cwd,
    ...(arg === undefined ? {} : { args: arg }),
    ...(timeout === undefined ? {} : { timeout_ms: timeout }),
  };
};

/** Without the global options, which are none of the daemon's business. */
const pickJobOptions = ({ queue, plugin, arg, env, label, timeout, after, urgent, noop }: Options): Options => ({
  ...(queue === undefined ? {} : { queue }),
  ...(plugin === undefined ? {} : { plugin }),
  ...(arg === undefined ? {} : { arg }),
  ...(env === undefined ? {} : { env }),
  ...(label === undefined ? {} : { label }),
  ...(timeout === undefined ? {} : { timeout }),
  ...(after === undefined ? {} : { after }),
  ...(urgent === undefined ? {} : { urgent }),
  ...(noop === undefined ? {} : { noop }),
});
