import type { NodeView } from '../../api/contract/nodes.ts';
import type { Define } from '../command.ts';
import { painter } from '../render/color.ts';
import { renderNodes } from '../render/nodes.ts';
import { addHelp, type HelpText } from '../support/help.ts';
import { print } from '../support/print.ts';

const help: HelpText = {
  examples: ['trigger nodes', "trigger nodes --json | jq '.[] | select(.present | not)'"],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command.action(
    run(async (session) => {
      const nodes = await session.client.request<NodeView[]>('/v1/nodes');
      const { columns, color } = session.terminal;
      await print(session, nodes, () => renderNodes(nodes, { columns, now: Date.now(), paint: painter(color) }));
      return 0;
    }),
  );
};
