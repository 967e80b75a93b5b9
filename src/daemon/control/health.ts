import type { HealthView } from '../../api/contract/health.ts';
import type { HolderView, NameView, NodeView } from '../../api/contract/nodes.ts';
import { queueView } from '../../api/routes/queues.ts';
import { iso } from '../../api/views/time.ts';
import type { InboxWatcher } from '../../firings/inbox/inbox-watcher.ts';
import type { SpoolDrain } from '../../firings/publish/spool-drain.ts';
import type { Holder } from '../../fleet/names/holder.ts';
import { obstacleInWords } from '../../fleet/names/judge.ts';
import { freeName } from '../../fleet/names/name-records.ts';
import type { NodeName } from '../../fleet/names/node-name.ts';
import type { NodeStatus } from '../../fleet/nodes.ts';
import type { Runtime, WorkerDaemonRuntime } from '../compose/runtime.ts';

/** What every daemon says of itself; one without etcd has nothing to add. */
export const localHealth = ({ options, config, queues }: WorkerDaemonRuntime, startedAt: string): HealthView => ({
  node: options.node,
  version: options.version,
  pid: process.pid,
  started_at: startedAt,
  state_dir: config.node.state_dir,
  config_file: options.loaded.file,
  etcd: { connected: false, endpoints: [], last_error: null, since: startedAt },
  watching: false,
  spool: { waiting: 0, oldest_at: null },
  queues: queues.summary().map(queueView),
});

/** With etcd, the node's name and the spool. */
export const fleetHealth = (
  runtime: Runtime,
  watcher: Pick<InboxWatcher, 'state'>,
  drain: Pick<SpoolDrain, 'state'>,
  startedAt: string,
): HealthView => {
  const { config, name } = runtime;
  const { connected, lastError, since } = watcher.state;
  const { waiting, oldestAt } = drain.state;
  return {
    ...localHealth(runtime, startedAt),
    etcd: {
      connected,
      endpoints: config.etcd.endpoints,
      last_error: lastError?.message ?? null,
      since: new Date(since).toISOString(),
    },
    name: nameView(name),
    watching: config.watch.enabled && connected && !name.isRefused(),
    spool: { waiting, oldest_at: iso(oldestAt) },
  };
};

/** Lets another machine have a name; at once, where it is this one and its own. Throws `node-present`, `node-not-found`. */
export const adoptNode = async ({ options, keyspace, name }: Runtime, node: string): Promise<void> => {
  const isOwn = node === options.node;
  if (isOwn && name.isHeld()) return;
  await freeName(keyspace, node);
  if (isOwn) name.adopt();
};

const nameView = ({ self, state }: NodeName): NameView => {
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

const holderView = ({ instance, host, address, pid, boot, version }: Holder): HolderView => ({
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
