import type { HealthView } from '../../api/contract/health.ts';
import { queueView } from '../../api/views/queues.ts';
import { iso } from '../../api/views/time.ts';
import type { InboxWatcher } from '../../firings/inbox/inbox-watcher.ts';
import type { SpoolDrain } from '../../firings/publish/spool-drain.ts';
import type { Runtime } from '../compose/runtime.ts';
import type { WorkerDaemonRuntime } from './local-services.ts';
import { nameView } from './node-names.ts';

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
