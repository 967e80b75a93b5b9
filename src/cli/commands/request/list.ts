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
The requests that wait or run at the broker of this node, of all teams, the oldest first. Each broker knows its own
requests only: with several brokers, ask on each of them (\`trigger broker list\`). What is over is in \`trigger history\`.

Admins of a team use the console, from anywhere: triggerfs-cli -c 'show requests'.`,
  examples: [
    'trigger request list',
    'trigger request list --user mallory --json | jq -r .[].id',
    'trigger request list --team team1 --service demoservice',
  ],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .option('--team <team>', 'only those that were asked in it, or of its services')
    .option('--user <user>', 'only those of this user')
    .option('--service <service>', 'only those that were sent to it')
    .option('--limit <number>', 'no more than this (default: 1000)', count)
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
