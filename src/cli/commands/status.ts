import type { FiringView } from '../../api/contract/firings.ts';
import type { Define } from '../command.ts';
import { painter } from '../render/color.ts';
import { type Canvas, renderFiring, renderFirings } from '../render/firing.ts';
import { addHelp, type HelpText } from '../support/help.ts';
import { count } from '../support/options.ts';
import { print } from '../support/print.ts';
import type { Session } from '../support/session.ts';

const help: HelpText = {
  examples: [
    'trigger status',
    'trigger status 01K9ZQ4T5M8W3V6X7Y8Z9A0BCD',
    'trigger status --json 01K9ZQ4T5M8W3V6X7Y8Z9A0BCD | jq .outcomes',
  ],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('[firing]', 'ID of a firing')
    .option('-n, --limit <number>', 'number of recent firings to show', count, 20)
    .action(
      run((session, firing: string | undefined, { limit }: { readonly limit: number }) =>
        firing === undefined ? listFirings(session, limit) : showFiring(session, firing),
      ),
    );
};

const listFirings = async (session: Session, limit: number): Promise<number> => {
  const firings = await session.client.request<FiringView[]>(`/v1/firings?limit=${limit}`);
  if (firings.length === 0) session.terminal.err('no firings yet\n');
  await print(session, firings, () => (firings.length === 0 ? '' : renderFirings(firings, canvasOf(session))));
  return 0;
};

const showFiring = async (session: Session, id: string): Promise<number> => {
  const firing = await session.client.request<FiringView>(`/v1/firings/${encodeURIComponent(id)}`);
  await print(session, firing, () => renderFiring(firing, canvasOf(session)));
  return 0;
};

const canvasOf = ({ terminal }: Session): Canvas => ({
  columns: terminal.columns,
  now: Date.now(),
  paint: painter(terminal.color),
});
