/** The verbs of `trigger queue` that are about one job; those about a whole queue are in `queue.ts`. */
import { Option } from 'commander';
import type { JobView } from '../../api/contract/jobs.ts';
import { TriggerdError } from '../../domain/errors.ts';
import type { Define, Verbs } from '../command.ts';
import type { AddOptions, OutputChoice } from '../queue/wait-for-job.ts';
import { renderJobInfo } from '../render/job-info.ts';
import { Interrupted } from '../support/interruption.ts';
import { count, countFrom0, duration, jobId, jobIds, pair, query } from '../support/options.ts';
import { print, type Session } from '../support/session.ts';
import { rawHelp } from '../support/terminal.ts';

/** What an argument’s help says of the job that is meant when none is named, as in tsp. */
const meant = {
  added: 'the one added last',
  queued: 'the one in the queue that was added last',
  started: 'the one that runs, or ran last',
} as const;

const idOf = async ({ client }: Session, given: number | undefined, which: keyof typeof meant): Promise<number> =>
  given ?? (await client.request<JobView>(`/v1/jobs/latest${query({ which })}`)).id;

/** A verb that prints something of a job. */
const showing =
  (which: keyof typeof meant, shows: (job: JobView, now: number) => string): Define =>
  (command, run) =>
    command.argument('[id]', `ID of the job (default: ${meant[which]})`, jobId).action(
      run(async (session, given: number | undefined) => {
        const job = await session.client.request<JobView>(`/v1/jobs/${await idOf(session, given, which)}`);
        await print(session, job, ({ now }) => shows(job, now));
      }),
    );

const doToJob = ({ client }: Session, verb: string, id: number): Promise<JobView> =>
  client.request<JobView>(`/v1/jobs/${id}/${verb}`, { method: 'POST' });

/** A verb that the daemon does to a job. Silent when it was done, as tsp is. */
const doing =
  (verb: 'kill' | 'remove' | 'urgent', which: keyof typeof meant, said: string = meant[which]): Define =>
  (command, run) =>
    command
      .argument('[id]', `ID of the job (default: ${said})`, jobId)
      .action(
        run(async (session, given: number | undefined) =>
          print(session, await doToJob(session, verb, await idOf(session, given, which))),
        ),
      );

const stderrHelp = 'print stderr of a job that was added with --stderr';

/** Streams the output of a job, and gives its exit code. Throws `usage` with `--json`. */
const following =
  (verb: 'cat' | 'tail') =>
  async (session: Session, given: number | undefined, choice: OutputChoice): Promise<number> => {
    if (session.json)
      throw new TriggerdError(
        'usage',
        'the output of a job has no JSON form: leave out --json (`trigger queue info --json` prints the facts)',
      );
    const { followOutput } = await import('../queue/wait-for-job.ts');
    const id = await idOf(session, given, 'started');
    try {
      return await followOutput(session, id, choice);
    } catch (error) {
      if (verb === 'tail' && error instanceof Interrupted) session.terminal.err(`\ntrigger: job ${id} continues\n`);
      throw error;
    }
  };

export const jobVerbs: Verbs = {
  add: {
    summary: 'add a job; prints its ID',
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
    define: (command, run) =>
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
        .action(
          run(async (session, argv: readonly string[], options: AddOptions) => {
            const { addJob } = await import('../queue/wait-for-job.ts');
            return addJob(session, argv, options);
          }),
        ),
  },
  cat: {
    summary: 'print a job’s output',
    details: `
Without an ID: the job that runs, or ran last. Waits until the job has ended, and exits with the job’s exit code, as
\`tsp -c\` does.`,
    examples: ['trigger queue cat', 'trigger queue cat 7 > output.txt'],
    define: (command, run) =>
      command
        .argument('[id]', 'ID of the job', jobId)
        .option('--raw', rawHelp)
        .option('--stderr', stderrHelp)
        .action(run(following('cat'))),
  },
  tail: {
    summary: 'follow a job’s output until it has ended',
    details: `
Without an ID: the job that runs, or ran last. Ctrl-C ends the output; the job continues. Exits with the job’s exit code.`,
    examples: ['trigger queue tail', 'trigger queue tail -n 50 7'],
    define: (command, run) =>
      command
        .argument('[id]', 'ID of the job', jobId)
        .option('-n, --lines <number>', 'number of last lines to start with', countFrom0, 10)
        .option('--raw', rawHelp)
        .option('--stderr', stderrHelp)
        .action(run(following('tail'))),
  },
  info: {
    summary: 'show all facts about a job',
    examples: ['trigger queue info', 'trigger queue info 7 --json | jq .times'],
    define: showing('started', renderJobInfo),
  },
  wait: {
    summary: 'wait until a job has ended',
    details: `
Without an ID: the job added last. Exits with the job’s exit code, with 124 when its timeout ended it, with 127 when it could
not be started, and with 128 plus the signal’s number when a signal killed it. With --timeout: exits 5 when that passes
first.`,
    examples: ['trigger queue wait 7 && echo it went well', 'trigger queue wait --timeout 10m 7'],
    define: (command, run) =>
      command
        .argument('[id]', 'ID of the job', jobId)
        .option('--timeout <duration>', 'maximum time to wait', duration)
        .action(
          run(async (session, given: number | undefined, { timeout }: { readonly timeout?: number }) => {
            const { waitForJob } = await import('../queue/wait-for-job.ts');
            return waitForJob(session, await idOf(session, given, 'added'), timeout);
          }),
        ),
  },
  kill: {
    summary: 'kill a running job',
    examples: ['trigger queue kill', 'trigger queue kill 7'],
    define: doing('kill', 'started', 'the one that runs'),
  },
  remove: {
    summary: 'remove a queued job',
    examples: ['trigger queue remove', 'trigger queue remove 7'],
    define: doing('remove', 'queued'),
  },
  state: {
    summary: 'print a job’s state in one word',
    examples: ['trigger queue state', 'test "$(trigger queue state 7)" = finished'],
    define: showing('added', ({ state }) => state),
  },
  output: {
    summary: 'print the path of a job’s output file',
    examples: ['trigger queue output', 'tail -f "$(trigger queue output 7)"'],
    define: showing('started', ({ id, output }) => {
      if (output !== null) return output;
      throw new TriggerdError(
        'input-invalid',
        `job ${id} has no output file of its own; \`trigger queue cat ${id}\` prints its output`,
      );
    }),
  },
  urgent: {
    summary: 'move a queued job to the head',
    examples: ['trigger queue urgent', 'trigger queue urgent 7'],
    define: doing('urgent', 'queued'),
  },
  retry: {
    summary: 'add an ended job again; prints the new ID',
    examples: ['trigger queue retry 7'],
    define: (command, run) =>
      command.argument('<id>', 'ID of the job', jobId).action(
        run(async (session, id: number) => {
          const added = await doToJob(session, 'retry', id);
          await print(session, added, () => String(added.id));
        }),
      ),
  },
  swap: {
    summary: 'swap two queued jobs',
    examples: ['trigger queue swap 8 9'],
    define: (command, run) =>
      command
        .argument('<a>', 'a queued job', jobId)
        .argument('<b>', 'another queued job', jobId)
        .action(
          run(async (session, a: number, b: number) =>
            print(session, await session.client.request('/v1/jobs/swap', { method: 'POST', body: { a, b } })),
          ),
        ),
  },
};
