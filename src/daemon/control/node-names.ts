import type { HolderView, NameView, NodeView } from '../../api/contract/nodes.ts';
import { iso } from '../../api/views/time.ts';
import { freeName } from '../../fleet/names/adopt.ts';
import type { Holder } from '../../fleet/names/holder.ts';
import type { NodeName } from '../../fleet/names/node-name.ts';
import { obstacleInWords } from '../../fleet/names/state.ts';
import type { NodeStatus } from '../../fleet/nodes.ts';
import type { Runtime } from '../compose/runtime.ts';

/** Lets another machine have a name; at once, where it is this one and its own. Throws `node-present`, `node-not-found`. */
export const adoptNode = async ({ options, keyspace, name }: Runtime, node: string): Promise<void> => {
  const isOwn = node === options.node;
  if (isOwn && name.isHeld()) return;
  await freeName(keyspace, node);
  if (isOwn) name.adopt();
};

export const nameView = ({ self, state }: NodeName): NameView => {
  if (state.kind === 'asking' || state.kind === 'held') {
    const refused = state.kind === 'held' ? state.rivals.map(holderView) : [];
    return { state: state.kind, holder: null, what: null, remedy: null, refused };
  }
  const { kind, why, holder } = state;
  return {
    state: kind,
    holder: holder && holderView(holder),
    ...obstacleInWords(self.node, why, holder),
    refused: [holderView(self)],
  };
};

export const holderView = ({ instance, host, address, pid, boot, version }: Holder): HolderView => ({
  instance,
  host,
  address,
  pid,
  boot,
  version,
});

/** A node of the fleet, as the API tells it. */
export const nodeView = (status: NodeStatus): NodeView => {
  const { node, present, version, roles, queues } = status;
  return {
    node,
    present,
    version,
    roles,
    queues,
    started_at: iso(status.startedAt),
    first_seen_at: iso(status.firstSeenAt),
    holder: status.holder && holderView(status.holder),
    refused: status.refused.map(holderView),
  };
};
