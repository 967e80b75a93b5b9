import type { FiringView } from '../../api/contract/firings.ts';
import type { Define } from '../command.ts';
import { renderFiring, renderFirings } from '../render/firing.ts';
import { count, type HelpText } from '../support/options.ts';
import { print, type Session } from '../support/session.ts';

export const help: HelpText = {
  examples: [
    'trigger status',
    'trigger status 01K9ZQ4T5M8W3V6X7Y8Z9A0BCD',
    'trigger status --json 01K9ZQ4T5M8W3V6X7Y8Z9A0BCD | jq .outcomes',
  ],
};

export const define: Define = (command, run) =>
  command
    .argument('[firing]', 'ID of a firing')
    .option('-n, --limit <number>', 'number of recent firings to show', count, 20)
    .action(
      run((session, firing: string | undefined, { limit }: { readonly limit: number }) =>
        firing === undefined ? listFirings(session, limit) : showFiring(session, firing),
      ),
    );

const listFirings = async (session: Session, limit: number): Promise<void> => {
  const firings = await session.client.request<FiringView[]>(`/v1/firings?limit=${limit}`);
  if (firings.length === 0) session.terminal.err('no firings yet\n');
  await print(session, firings, (canvas) => (firings.length === 0 ? '' : renderFirings(firings, canvas)));
};

const showFiring = async (session: Session, id: string): Promise<void> => {
  const firing = await session.client.request<FiringView>(`/v1/firings/${encodeURIComponent(id)}`);
  await print(session, firing, (canvas) => renderFiring(firing, canvas));
};
