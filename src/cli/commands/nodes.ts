import type { NodeView } from '../../api/contract.ts';
import type { Define } from '../command.ts';
import { print } from '../print.ts';
import { painter } from '../render/color.ts';
import { renderNodes } from '../render/nodes.ts';

export const define: Define = (command, run) => {
  command.action(
    run(async (session) => {
      const nodes = await session.client.request<NodeView[]>('/v1/nodes');
      const { columns, color } = session.terminal;
      await print(session, nodes, () => renderNodes(nodes, { columns, now: Date.now(), paint: painter(color) }));
      return 0;
    }),
  );
};
