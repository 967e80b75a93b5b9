import type { OwnBrokerView } from '../../../api/contract/brokers.ts';
import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { print } from '../../support/print.ts';

const help: HelpText = {
  details: `
Clients and workers need it as [main] broker_key: by it they know this broker, whoever may sit in between. It is no
secret. The daemon makes it at its first start as a broker and keeps it, with the secret half, below [node] state_dir.`,
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
