import type { TreeSource } from '../../mount/delivery-ports.ts';
import type { Definition, Directory, TreeNode } from '../../registry/model.ts';
import type { Registry } from '../../registry/registry.ts';
import { type Asking, executeOverBus } from './tree-asking.ts';

/** The tree as the registry's mirror has it, live from etcd; what others keep to themselves is not in it. */
export const mirroredTree = (
  registry: Registry,
  { team, identity }: { readonly team: string; readonly identity: string | undefined },
  connection: Asking,
): TreeSource => ({
  current: () => {
    if (registry.mirror.state === undefined) return undefined;
    const { users } = registry.mirror.state;
    // By number: a namesake who came later owns nothing of what was there.
    const own = identity === undefined ? undefined : users.get(identity)?.id;
    const nodes = [...registry.mirror.state.holdings(team).nodes.values()];
    const isShown = (node: TreeNode): node is Definition =>
      node.kind === 'definition' && (node.visibility !== 'local' || node.owner_id === own);
    const isDirectory = (node: TreeNode): node is Directory => node.kind === 'directory';
    return { team, directories: nodes.filter(isDirectory), definitions: nodes.filter(isShown) };
  },
  onChange: (listener) => registry.mirror.onChange(listener),
  execute: async (change) => {
    await executeOverBus(connection, team, change);
    await caughtUp(registry, team);
  },
  refresh: () => caughtUp(registry, team),
});

/** The answer to a question is at least as new as all changes before it, and so is the mirror then. */
const caughtUp = async (registry: Registry, team: string): Promise<void> => {
  await registry.execute({ kind: 'local' }, { verb: 'directory.list', team });
};
