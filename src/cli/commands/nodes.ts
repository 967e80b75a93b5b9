import type { NodeView } from '../../api/contract/nodes.ts';
import type { Define } from '../command.ts';
import { renderNodes } from '../render/nodes.ts';
import type { HelpText } from '../support/help.ts';
import { print } from '../support/print.ts';

export const help: HelpText = {
  examples: ['trigger nodes', "trigger nodes --json | jq '.[] | select(.present | not)'"],
};

export const define: Define = (command, run) =>
  command.action(
    run(async (session) => {
      const nodes = await session.client.request<NodeView[]>('/v1/nodes');
      await print(session, nodes, (canvas) => renderNodes(nodes, canvas));
    }),
  );
