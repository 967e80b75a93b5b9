import type { CancelBody, CancelledNodeView, CancelledView } from '../../api/contract/firings.ts';
import { given } from '../../kit/given.ts';
import { visible } from '../../kit/text.ts';
import { padEnd, widthOf } from '../../kit/width.ts';
import type { Define } from '../command.ts';
import { type HelpText, list } from '../support/options.ts';
import { askingUser, print, type Session } from '../support/session.ts';

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

/** One line for every node. */
export const renderCancelled = ({ nodes }: CancelledView): string => {
  const width = Math.max(0, ...Object.keys(nodes).map((node) => widthOf(visible(node))));
  return Object.entries(nodes)
    .map(([node, view]) => `${padEnd(visible(node), width)}  ${visible(inWords(view))}`)
    .join('\n');
};

const inWords = ({ did, stage, result, reason }: CancelledNodeView): string => {
  switch (did) {
    case 'cancelled':
      return 'cancelled';
    case 'running':
      return 'running, left alone (--kill ends it)';
    case 'kill-asked':
      return 'running, asked to end it';
    case 'ended':
      return `had ended: ${[stage, result, reason].filter((part) => part !== null).join(' ')}`;
  }
};
