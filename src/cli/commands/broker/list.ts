import type { BrokerView } from '../../../api/contract/brokers.ts';
import type { Define } from '../../command.ts';
import { renderBrokers } from '../../render/brokers.ts';
import { painter } from '../../render/color.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { print } from '../../support/print.ts';

const help: HelpText = {
  details: `
Copy endpoint and key to [main] broker and broker_key; both can be lists, in the same order.`,
  examples: ['trigger broker list', "trigger broker list --json | jq -r '.[].endpoint'"],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command.action(
    run(async (session) => {
      const brokers = await session.client.request<BrokerView[]>('/v1/brokers');
      const { columns, color } = session.terminal;
      await print(session, brokers, () => renderBrokers(brokers, { columns, now: Date.now(), paint: painter(color) }));
      return 0;
    }),
  );
};
