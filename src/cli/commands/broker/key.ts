import type { OwnBrokerView } from '../../../api/contract/brokers.ts';
import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { print } from '../../support/print.ts';

const help: HelpText = {
  details: `
Clients and workers need this key as [main] broker_key: with it they verify that they speak to this broker. The key is no
secret. The daemon creates it at its first start as a broker, and keeps it with its secret half below [node] state_dir.`,
  examples: ['trigger broker key', 'trigger broker key --json | jq -r .endpoint'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command.action(
    run(async (session) => {
      const own = await session.client.request<OwnBrokerView>('/v1/broker');
      await print(session, own, () => `${own.key}\n`);
      return 0;
    }),
  );
};
