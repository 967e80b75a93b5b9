import type { AdoptedView } from '../../../api/contract/nodes.ts';
import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { print } from '../../support/print.ts';

const help: HelpText = {
  details: `
Run this on a new machine that replaces another one under the same name: it then gets the name without waiting. On any
other node, the command frees the name for the next daemon that asks for it. Refused while a daemon with this name is up.`,
  examples: ['trigger node adopt lb01.example.com'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command.argument('<node>', 'name of the node').action(
    run(async (session, name: string) => {
      const path = `/v1/nodes/${encodeURIComponent(name)}/adopt`;
      const adopted = await session.client.request<AdoptedView>(path, { method: 'POST' });
      if (!session.json) session.terminal.err(`${adopted.node}: another machine may take this name now\n`);
      await print(session, adopted, () => '');
      return 0;
    }),
  );
};
