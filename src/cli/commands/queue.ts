import type { Command } from 'commander';
import type { JobView } from '../../api/contract/jobs.ts';
import type { QueueView } from '../../api/contract/queues.ts';
import type { DeadLettersBody, DeadLettersView, TriggerFileView } from '../../api/contract/trigger-files.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { printable } from '../../domain/names.ts';
import { jsonText } from '../../kit/json-text.ts';
import { withWidths } from '../../kit/width.ts';
import type { Define, Verbs } from '../command.ts';
import { renderQueue } from '../render/queue-table.ts';
import { renderTriggerFiles } from '../render/trigger-files.ts';
import type { DaemonClient } from '../support/http-client.ts';
import { count, duration, type HelpText, query } from '../support/options.ts';
import { startProgress } from '../support/progress.ts';
import { print, printDone, type Session } from '../support/session.ts';
import { jobVerbs } from './queue-jobs.ts';

interface ListOptions {
  readonly files?: boolean;
  readonly queue?: string;
  readonly all?: boolean;
}

export const help: HelpText = {
  details: `
The columns are those of tsp. A deferred job is shown as queued, with the reason. With --json: prints the jobs of all queues
(or of --queue), oldest first.`,
  examples: [
    'watch -n 1 trigger queue',
    'trigger queue --all',
    'trigger queue --files',
    `trigger queue --json | jq '.[] | select(.state == "running")'`,
  ],
};

export const define: Define = (command, run) =>
  command
    .usage('[options] [command]')
    .argument('[verb]', '')
    // What follows a misspelt verb: its own complaint would hide the better one.
    .allowExcessArguments()
    .option('--queue <name>', 'queue to show (default: "default")')
    .option('--files', 'show waiting messages and dead letters of trigger files')
    .option('--all', 'show all queues, and all ended jobs that are kept')
    .action(run(list));

const list = async (
  session: Session,
  verb: string | undefined,
  { queue, all = false, files }: ListOptions,
  command: Command,
): Promise<void> => {
  if (verb !== undefined) throw await unknownVerb(verb, command);
  if (files === true) return printFiles(session);
  if (session.json) return printAllJobs(session, queue);
  const queues = await session.client.request<QueueView[]>('/v1/queues');
  const shown = all ? queue : (queue ?? 'default');
  const views = queues.filter(({ name }) => shown === undefined || name === shown);
  if (views.length === 0 && shown !== undefined)
    throw new TriggerdError('queue-not-found', `there is no queue “${shown}”`, { details: { queue: shown } });
  const blocks: string[] = [];
  for (const view of views) blocks.push(await block(session, view, all));
  await session.terminal.out(`${blocks.join('\n\n')}\n`);
};

const printFiles = async (session: Session): Promise<void> => {
  const files = await session.client.request<TriggerFileView[]>('/v1/trigger-files');
  await print(session, files, (canvas) => renderTriggerFiles(files, canvas));
};

/** Page by page: neither side ever holds the whole list. */
const printAllJobs = async ({ client, terminal }: Session, queue: string | undefined): Promise<void> => {
  let before = '[';
  for await (const page of jobPages(client, { queue })) {
    if (page.length === 0) continue;
    await terminal.out(before + jsonText(page, 2).slice('['.length, -'\n]'.length));
    before = ',';
  }
  await terminal.out(before === '[' ? '[]\n' : '\n]\n');
};

/** Commander takes what is no verb for an argument. */
const unknownVerb = async (given: string, queue: Command): Promise<TriggerdError> => {
  const { didYouMean } = await import('../../config/problem.ts');
  const verbs = queue.commands.map((verb) => verb.name());
  return new TriggerdError('usage', `unknown command “queue ${printable(given)}”${didYouMean(given, verbs)}`);
};

/** Nobody reads a longer command in a table, and some have megabytes; `info` shows all of it. */
const shownCommandLength = 1024;

/** One queue's table; with `all` its name on top, and all its ended jobs. */
const block = async ({ client, terminal }: Session, view: QueueView, all: boolean): Promise<string> => {
  const which = query({ queue: view.name, command: shownCommandLength, ended: all ? 0 : undefined });
  const jobs = await client.request<JobView[]>(`/v1/jobs${which}`);
  const ended = all ? await endedJobs(client, view.name) : [];
  const table = await withWidths(() => renderQueue([...jobs, ...ended], view, terminal.columns));
  return `${all ? `${view.name}:\n` : ''}${table}`;
};

/** As they ended. */
const endedJobs = async (client: DaemonClient, queue: string): Promise<JobView[]> => {
  const jobs: JobView[] = [];
  for await (const page of jobPages(client, { queue, state: 'finished,skipped', command: shownCommandLength }))
    jobs.push(...page);
  return jobs.sort((a, b) => (a.finished_at ?? '').localeCompare(b.finished_at ?? ''));
};

interface WhichJobs {
  readonly queue: string | undefined;
  /** Separated by commas. */
  readonly state?: string;
  /** Characters of the commands. */
  readonly command?: number;
}

const pageLength = 500;

/** All jobs of all queues, or of one, oldest first, however many there are. */
async function* jobPages(client: DaemonClient, which: WhichJobs): AsyncGenerator<readonly JobView[]> {
  let after: number | undefined;
  do {
    const page = await client.request<JobView[]>(`/v1/jobs${query({ ...which, limit: pageLength, after })}`);
    yield page;
    after = page.length < pageLength ? undefined : page.at(-1)?.id;
  } while (after !== undefined);
}

interface QueueOption {
  readonly queue?: string;
}

const addQueueOption = (command: Command): Command => command.option('--queue <name>', 'queue (default: "default")');

/** `/v1/queues/<name>/<verb>`; the name may be `*` where the verb is for all queues. */
const pathOf = (queue: string | undefined, verb: string): string =>
  `/v1/queues/${encodeURIComponent(queue ?? 'default')}/${verb}`;

/** A verb that the daemon does to a queue; silent when it was done. */
const doing =
  (verb: 'pause' | 'resume'): Define =>
  (command, run) =>
    addQueueOption(command).action(
      run(async (session, { queue }: QueueOption) =>
        print(session, await session.client.request(pathOf(queue, verb), { method: 'POST' })),
      ),
    );

/** A verb for the dead letters of one trigger file, or of all; says of how many. */
const doingToDeadLetters =
  (verb: 'replay' | 'purge', done: string): Define =>
  (command, run) =>
    command
      .argument('[file]', 'trigger file from `queue --files`, such as /alarms/disk')
      .option('--all', 'all trigger files, also deleted ones')
      .action(
        run(async (session, file: string | undefined, { all }: { readonly all?: boolean }) => {
          if ((file === undefined) === (all !== true))
            throw new TriggerdError('usage', `queue ${verb} needs a trigger file, or --all`);
          const body: DeadLettersBody = file === undefined ? {} : { path: file };
          const path = `/v1/trigger-files/${verb}`;
          const view = await session.client.request<DeadLettersView>(path, { method: 'POST', body });
          await printDone(session, view, `${done}: ${view.messages}`);
        }),
      );

const drain = async (session: Session, { queue, timeout }: QueueOption & { readonly timeout?: number }) => {
  const progress = startProgress(session.terminal, (elapsedS) => `draining ${queue ?? 'default'} · ${elapsedS} s`);
  try {
    const path = `${pathOf(queue, 'drain')}${query({ timeout_ms: timeout })}`;
    const view = await session.client.request<QueueView>(path, { method: 'POST', patient: true });
    progress.stop();
    await print(session, view);
  } finally {
    progress.stop();
  }
};

export const verbs: Verbs = {
  ...jobVerbs,
  replay: {
    summary: 'send dead letters of trigger files again',
    details: `
Dead letters are sent before messages written later, as new requests with a new [triggerfs] deadline. A message that was
lost while it ran may run a second time.`,
    examples: ['trigger queue replay /alarms/disk', 'trigger queue replay --all'],
    define: doingToDeadLetters('replay', 'messages that wait again'),
  },
  purge: {
    summary: 'delete dead letters of trigger files',
    examples: ['trigger queue purge /alarms/disk', 'trigger queue purge --all'],
    define: doingToDeadLetters('purge', 'messages forgotten'),
  },
  clear: {
    summary: 'delete ended jobs',
    examples: ['trigger queue clear', 'trigger queue clear --all'],
    define: (command, run) =>
      addQueueOption(command)
        .option('--all', 'delete the jobs of all queues')
        .action(
          run(async (session, { queue, all }: QueueOption & { readonly all?: boolean }) => {
            const path = pathOf(all === true ? '*' : queue, 'clear');
            const answer = await session.client.request<{ cleared: number }>(path, { method: 'POST' });
            await printDone(session, answer, `ended jobs deleted: ${answer.cleared}`);
          }),
        ),
  },
  pause: {
    summary: 'stop starting jobs',
    examples: ['trigger queue pause', 'trigger queue pause --queue backups'],
    define: doing('pause'),
  },
  resume: {
    summary: 'start jobs again',
    examples: ['trigger queue resume', 'trigger queue resume --queue backups'],
    define: doing('resume'),
  },
  drain: {
    summary: 'refuse new jobs until all have ended',
    details: `
The queue accepts no jobs while it drains. Ctrl-C and a timeout end the draining: the queue accepts jobs again.`,
    examples: ['trigger queue drain --timeout 10m && reboot'],
    define: (command, run) =>
      addQueueOption(command).option('--timeout <duration>', 'maximum time to wait', duration).action(run(drain)),
  },
  slots: {
    summary: 'show or set how many jobs run at once',
    examples: ['trigger queue slots', 'trigger queue slots 4 --queue backups'],
    define: (command, run) =>
      addQueueOption(command)
        .argument('[number]', 'maximum number of jobs that run at the same time', count)
        .action(
          run(async (session, slots: number | undefined, { queue }: QueueOption) => {
            const call = slots === undefined ? {} : ({ method: 'PUT', body: { slots } } as const);
            const answer = await session.client.request<{ slots: number }>(pathOf(queue, 'slots'), call);
            await print(session, answer, () => (slots === undefined ? String(answer.slots) : ''));
          }),
        ),
  },
};
