import type { Command } from 'commander';
import type { JobView } from '../../api/contract/jobs.ts';
import type { QueueView } from '../../api/contract/queues.ts';
import type { TriggerFileView } from '../../api/contract/trigger-files.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { printable } from '../../domain/names.ts';
import { jsonText } from '../../kit/json-text.ts';
import { withWidths } from '../../kit/width.ts';
import type { Define } from '../command.ts';
import { painter } from '../render/color.ts';
import { renderQueue } from '../render/queue-table.ts';
import { renderTriggerFiles } from '../render/trigger-files.ts';
import { addHelp, type HelpText } from '../support/help.ts';
import type { DaemonClient } from '../support/http-client.ts';
import { query } from '../support/options.ts';
import { print } from '../support/print.ts';
import type { Session } from '../support/session.ts';
import { jobPages } from './queue/job-pages.ts';
import { queueNotFound } from './queue/queue-option.ts';

/** Nobody reads a longer command in a table, and some have megabytes; `info` shows all of it. */
const shownCommandLength = 1024;

interface Options {
  readonly files?: boolean;
  readonly queue?: string;
  readonly all?: boolean;
}

const help: HelpText = {
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

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .usage('[options] [command]')
    .argument('[verb]', '')
    // What follows a misspelt verb: its own complaint would hide the better one.
    .allowExcessArguments()
    .option('--queue <name>', 'queue to show (default: "default")')
    .option('--files', 'show waiting messages and dead letters of trigger files')
    .option('--all', 'show all queues, and all ended jobs that are kept')
    .action(run(list));
};

const list = async (
  session: Session,
  verb: string | undefined,
  { queue, all, files }: Options,
  command: Command,
): Promise<number> => {
  if (verb !== undefined) throw await unknownVerb(verb, command);
  if (files === true) return printFiles(session);
  if (session.json) return printAllJobs(session, queue);
  const queues = await session.client.request<QueueView[]>('/v1/queues');
  const shown = all === true ? queue : (queue ?? 'default');
  const views = queues.filter(({ name }) => shown === undefined || name === shown);
  if (views.length === 0 && shown !== undefined) throw queueNotFound(shown);
  const blocks: string[] = [];
  for (const view of views) blocks.push(await block(session, view, all === true));
  await session.terminal.out(`${blocks.join('\n\n')}\n`);
  return 0;
};

const printFiles = async (session: Session): Promise<number> => {
  const files = await session.client.request<TriggerFileView[]>('/v1/trigger-files');
  const { columns, color } = session.terminal;
  await print(session, files, () => renderTriggerFiles(files, { columns, now: Date.now(), paint: painter(color) }));
  return 0;
};

/** Page by page: neither side ever holds the whole list. */
const printAllJobs = async ({ client, terminal }: Session, queue: string | undefined): Promise<number> => {
  let before = '[';
  for await (const page of jobPages(client, { queue })) {
    if (page.length === 0) continue;
    await terminal.out(before + jsonText(page, 2).slice('['.length, -'\n]'.length));
    before = ',';
  }
  await terminal.out(before === '[' ? '[]\n' : '\n]\n');
  return 0;
};

/** Commander takes what is no verb for an argument. */
const unknownVerb = async (given: string, queue: Command): Promise<TriggerdError> => {
  const { didYouMean } = await import('../../config/problem.ts');
  const verbs = queue.commands.map((verb) => verb.name());
  return new TriggerdError('usage', `unknown command “queue ${printable(given)}”${didYouMean(given, verbs)}`);
};

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
