import { TriggerdError } from '../../../domain/errors.ts';
import type { LiveRequest } from '../../../domain/live-request.ts';
import type { Define } from '../../command.ts';
import { cancelRequests } from '../../request/live.ts';
import { askingUser } from '../../support/asking-user.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { print } from '../../support/print.ts';
import type { Session } from '../../support/session.ts';

interface Options {
  readonly team?: string;
  readonly user?: string;
}

const help: HelpText = {
  details: `
Cancels requests at this node’s broker. Waiting requests end at once; running ones are killed on their workers. Users are
told who cancelled their request. Prints the IDs of the cancelled requests.

Admins of a team can use the console from any machine: triggerfs-cli -c 'delete requests ID'.`,
  examples: ['trigger request cancel 01K9ZQ4T5M8W3V6X7Y8Z9A0BCD', 'trigger request cancel --user mallory'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('[request...]', 'IDs of requests')
    .option('--user <user>', 'all requests of this user, instead of IDs')
    .option('--team <team>', 'only requests in this team, or to its services')
    .action(run(cancel));
};

const cancel = async (session: Session, ids: readonly string[], { team, user }: Options): Promise<number> => {
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
  return 0;
};
