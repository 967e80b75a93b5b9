import type { Command } from 'commander';
import type { JobView, QueueView } from '../../api/contract.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { printable } from '../../domain/names.ts';
import type { Define } from '../command.ts';
import { query } from '../options.ts';
import { print } from '../print.ts';
import { renderQueue } from '../render/queue-table.ts';
import type { Session } from '../session.ts';
import { queueNotFound } from './queue/queue-option.ts';

interface Options {
  readonly queue?: string;
  readonly all?: boolean;
}

const help = `
Columns are those of tsp. A deferred job is queued, and says what it waits for. With --json: the jobs of all queues
(or of --queue), oldest first.

Examples:
  watch -n 1 trigger queue
  trigger queue --all
  trigger queue --json | jq '.[] | select(.state == "running")'`;

export const define: Define = (command, run) => {
  command
    .usage('[options] [command]')
    .argument('[verb]', '')
    .option('--queue <name>', 'show this queue (default: "default")')
    .option('--all', 'show all queues, and all ended jobs that are kept')
    .addHelpText('after', help)
    .action(run(list));
};

const list = async (
  session: Session,
  verb: string | undefined,
  { queue, all }: Options,
  command: Command,
): Promise<number> => {
  if (verb !== undefined) throw await unknownVerb(verb, command);
  if (session.json) {
    await print(session, await session.client.request(`/v1/jobs${query({ queue, ended: 'all' })}`), () => '');
    return 0;
  }
  const shown = all === true ? queue : (queue ?? 'default');
  const [queues, jobs] = await Promise.all([
    session.client.request<QueueView[]>('/v1/queues'),
    session.client.request<JobView[]>(`/v1/jobs${query({ queue: shown, ended: all === true ? 'all' : undefined })}`),
  ]);
  const views = queues.filter(({ name }) => shown === undefined || name === shown);
  if (views.length === 0 && shown !== undefined) throw queueNotFound(shown);
  await session.terminal.out(`${views.map((view) => block(session, view, jobs, all === true)).join('\n\n')}\n`);
  return 0;
};

/** Commander takes what is no verb for an argument. */
const unknownVerb = async (given: string, queue: Command): Promise<TriggerdError> => {
  const { didYouMean } = await import('../../config/problem.ts');
  const verbs = queue.commands.map((verb) => verb.name());
  return new TriggerdError('usage', `unknown command “queue ${printable(given)}”${didYouMean(given, verbs)}`);
};

/** One queue's table; with its name on top where several are shown. */
const block = ({ terminal }: Session, view: QueueView, jobs: readonly JobView[], named: boolean): string => {
  const own = jobs.filter(({ queue }) => queue === view.name);
  return `${named ? `${view.name}:\n` : ''}${renderQueue(own, view, terminal.columns)}`;
};
