import type { Define } from '../../command.ts';
import { painter } from '../../render/color.ts';
import { renderLiveRequests } from '../../render/live-requests.ts';
import { listRequests, noticesOf } from '../../request/live.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { count } from '../../support/options.ts';
import { print } from '../../support/print.ts';
import type { Session } from '../../support/session.ts';

interface Options {
  readonly team?: string;
  readonly user?: string;
  readonly service?: string;
  readonly limit?: number;
}

const help: HelpText = {
  details: `
Lists the requests of all teams that wait or run at this node’s broker, oldest first. Each broker knows only its own
requests: with several brokers, run this on each of them (\`trigger broker list\`). \`trigger history\` lists ended requests.

Admins of a team can use the console from any machine: triggerfs-cli -c 'show requests'.`,
  examples: [
    'trigger request list',
    'trigger request list --user mallory --json | jq -r .[].id',
    'trigger request list --team team1 --service demoservice',
  ],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .option('--team <team>', 'only requests in this team, or to its services')
    .option('--user <user>', 'only requests of this user')
    .option('--service <service>', 'only requests to this service')
    .option('--limit <number>', 'maximum number of lines (default: 1000)', count)
    .action(run(list));
};

const list = async (session: Session, options: Options): Promise<number> => {
  const found = await listRequests(session.client, options);
  const { columns, color } = session.terminal;
  await print(session, found.requests, () =>
    renderLiveRequests(found.requests, { columns, now: Date.now(), paint: painter(color) }),
  );
  for (const notice of noticesOf(found)) session.terminal.err(`${notice}\n`);
  return 0;
};
