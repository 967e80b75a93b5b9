import { TriggerdError } from '../../domain/errors.ts';
import type { LiveRequest } from '../../domain/live-request.ts';
import type { Define, Verbs } from '../command.ts';
import { addRequestOptions, type RequestFlags, repliesHelp } from '../command-lines/triggerfs-client.ts';
import type { Canvas } from '../render/firing.ts';
import { renderTable } from '../render/table.ts';
import { age } from '../render/time.ts';
import { cancelRequests, listRequests, noticesOf } from '../request/live.ts';
import { count, type HelpText } from '../support/options.ts';
import { askingUser, print, type Session } from '../support/session.ts';

export const help: HelpText = {
  details: `
[main] of the configuration, or of $HOME/triggerfs.toml, names the user and the broker. The plugin’s stdout is printed to
stdout and its stderr to stderr, each line with the name of its worker. Messages about the request go to stderr. With
--json: prints one document, its output as it comes.

Exits with the plugin’s exit code, with 124 when its timeout ended it, with 127 when it could not be started, and with 128
plus the signal’s number when a signal killed it. Ctrl-C, SIGTERM, SIGHUP, a closed terminal and a reader that goes away
(\`| head\`) cancel the job on its worker. A second Ctrl-C exits at once.

${repliesHelp}`,
  examples: [
    'trigger request --service demo --plugin command --command uptime',
    'echo uptime | trigger request --service demo01 --plugin command',
    'trigger request --service dc1 --plugin echo --args text=hello --json',
    "trigger request --service lb --plugin x --filter-replies 'exit_code!=0'",
  ],
};

export const define: Define = (command, run) =>
  addRequestOptions(command).action(
    run(async (session, flags: RequestFlags) => {
      // The library of requests is most of what this command loads, and its verbs need none of it.
      const { sendRequest } = await import('../request/send.ts');
      return sendRequest(session, flags);
    }),
  );

interface ListOptions {
  readonly team?: string;
  readonly user?: string;
  readonly service?: string;
  readonly limit?: number;
}

const list = async (session: Session, options: ListOptions): Promise<void> => {
  const found = await listRequests(session.client, options);
  await print(session, found.requests, (canvas) => renderLiveRequests(found.requests, canvas));
  for (const notice of noticesOf(found)) session.terminal.err(`${notice}\n`);
};

const cancel = async (
  session: Session,
  ids: readonly string[],
  { team, user }: Pick<ListOptions, 'team' | 'user'>,
): Promise<void> => {
  if ((user === undefined) === (ids.length === 0))
    throw new TriggerdError('usage', 'name requests, or a user with --user; not both');
  const choices = user === undefined ? ids.map((request) => ({ request })) : [{ user }];
  const shared = { by: askingUser(session.env), ...(team === undefined ? {} : { team }) };
  const ended: LiveRequest[] = [];
  for (const choice of choices) {
    const { requests, more } = await cancelRequests(session.client, { ...choice, ...shared });
    ended.push(...requests);
    if (more > 0) session.terminal.err(`${more} more requests are cancelled\n`);
  }
  await print(session, ended, () => ended.map(({ id }) => `${id}\n`).join(''));
};

export const verbs: Verbs = {
  list: {
    summary: 'list waiting and running requests',
    details: `
Lists the requests of all teams that wait or run at this node’s broker, oldest first. Each broker knows only its own
requests: with several brokers, run this on each of them (\`trigger broker list\`). \`trigger history\` lists ended requests.

Admins of a team can use the console from any machine: triggerfs-cli -c 'show requests'.`,
    examples: [
      'trigger request list',
      'trigger request list --user mallory --json | jq -r .[].id',
      'trigger request list --team team1 --service demoservice',
    ],
    define: (command, run) =>
      command
        .option('--team <team>', 'only requests in this team, or to its services')
        .option('--user <user>', 'only requests of this user')
        .option('--service <service>', 'only requests to this service')
        .option('--limit <number>', 'maximum number of lines (default: 1000)', count)
        .action(run(list)),
  },
  cancel: {
    summary: 'cancel waiting or running requests',
    details: `
Cancels requests at this node’s broker. Waiting requests end at once; running ones are killed on their workers. Users are
told who cancelled their request. Prints the IDs of the cancelled requests.

Admins of a team can use the console from any machine: triggerfs-cli -c 'delete requests ID'.`,
    examples: ['trigger request cancel 01K9ZQ4T5M8W3V6X7Y8Z9A0BCD', 'trigger request cancel --user mallory'],
    define: (command, run) =>
      command
        .argument('[request...]', 'IDs of requests')
        .option('--user <user>', 'all requests of this user, instead of IDs')
        .option('--team <team>', 'only requests in this team, or to its services')
        .action(run(cancel)),
  },
};

const renderLiveRequests = (requests: readonly LiveRequest[], { columns, now, paint }: Canvas): string =>
  renderTable(
    [
      { title: 'REQUEST', cell: ({ id }) => id },
      { title: 'AGE', cell: ({ received_at }) => age(received_at, now) },
      { title: 'STATE', cell: ({ state }) => state },
      { title: 'USER', cell: ({ user, team }) => `${user}@${team}`, shrinkTo: 8 },
      { title: 'SERVICE', cell: ({ service_team, service }) => `${service_team}/${service}`, shrinkTo: 8 },
      { title: 'PLUGIN', cell: ({ plugin }) => plugin, shrinkTo: 8 },
      { title: 'WORKERS', cell: ({ workers }) => workers.join(','), shrinkTo: 8 },
      { title: 'BYTES', cell: ({ bytes }) => String(bytes) },
    ],
    requests,
    columns,
    paint,
  );
