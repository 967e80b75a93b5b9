import type { CancelBody, CancelledView } from '../../api/contract/firings.ts';
import { given } from '../../kit/given.ts';
import type { Define } from '../command.ts';
import { renderCancelled } from '../render/cancelled.ts';
import { askingUser } from '../support/asking-user.ts';
import type { HelpText } from '../support/help.ts';
import { list } from '../support/options.ts';
import { print } from '../support/print.ts';
import type { Session } from '../support/session.ts';

interface Options {
  readonly host?: readonly string[];
  readonly kill?: boolean;
}

export const help: HelpText = {
  details: `
Prints what happened on each node. Owed and queued work ends as skipped. Running work continues; with --kill its node ends
it, unless another firing needs the same run.`,
  examples: [
    'trigger cancel 01K9ZQ4T5M8W3V6X7Y8Z9A0BCD',
    'trigger cancel 01K9ZQ4T5M8W3V6X7Y8Z9A0BCD --host lb01 --kill',
  ],
};

export const define: Define = (command, run) =>
  command
    .argument('<firing>', 'ID of the firing')
    .option('--host <name>', 'only this target; repeatable, or a list with commas', list)
    .option('--kill', 'also kill running jobs')
    .action(run(cancel));

const cancel = async (session: Session, id: string, { host, kill }: Options): Promise<void> => {
  const body: CancelBody = {
    user: askingUser(session.env),
    ...given({ hosts: host, kill }),
  };
  const path = `/v1/firings/${encodeURIComponent(id)}/cancel`;
  const cancelled = await session.client.request<CancelledView>(path, { method: 'POST', body, patient: true });
  await print(session, cancelled, () => renderCancelled(cancelled));
};
