import type { BrokerView } from '../../api/contract/brokers.ts';
import type { BrokerRequests } from '../../api/services/brokers.ts';
import type { ApiServices } from '../../api/services/services.ts';
import { FleetLog } from '../../events/fleet-log.ts';
import { forgetNode } from '../../firings/end/forget-node.ts';
import type { InboxWatcher } from '../../firings/inbox/inbox-watcher.ts';
import type { SpoolDrain } from '../../firings/publish/spool-drain.ts';
import { busKeysBelow } from '../../fleet/brokers/keys.ts';
import { listBrokers } from '../../fleet/brokers/list-brokers.ts';
import type { BrokerDocument } from '../../fleet/brokers/wire.ts';
import { nodes } from '../../fleet/nodes.ts';
import { clock } from '../clock.ts';
import { recordRun } from '../compose/regular-runs.ts';
import type { Runtime } from '../compose/runtime.ts';
import type { StartedBroker } from './broker-view.ts';
import { createFiringsService } from './firings-service.ts';
import { fleetHealth } from './health.ts';
import { localServices } from './local-services.ts';
import { adoptNode, nodeView } from './node-names.ts';
import { triggerFiles } from './trigger-files.ts';
import { createWhyService } from './why-service.ts';

/** The rooms as the control API wants them. */
export const apiServices = (runtime: Runtime, watcher: InboxWatcher, drain: SpoolDrain): ApiServices => {
  const startedAt = new Date().toISOString();
  return {
    ...localServices(runtime),
    firings: createFiringsService(runtime.keyspace, runtime.events),
    spool: drain,
    runs: { record: (run) => recordRun(runtime, run) },
    events: {
      here: runtime.events,
      fleet: new FleetLog({ ...runtime.keyspace, node: runtime.options.node, clock, log: runtime.options.log }),
    },
    registry: runtime.registry,
    brokers: {
      own: () => runtime.broker?.view() ?? null,
      list: async () =>
        (await listBrokers(runtime.keyspace.store, busKeysBelow(runtime.config.etcd.prefix))).map(brokerView),
      requests: () => (runtime.broker === undefined ? null : brokerRequests(runtime.broker, runtime.options.node)),
    },
    why: createWhyService(runtime),
    triggerFiles: triggerFiles(runtime),
    nodes: async () => (await nodes(runtime.keyspace)).map(nodeView),
    forgetNode: (node, asked) => forgetNode(runtime.keyspace, node, { ...asked, at: Date.now() }),
    adoptNode: (node) => adoptNode(runtime, node),
    health: () => fleetHealth(runtime, watcher, drain, startedAt),
  };
};

const brokerRequests = ({ openRequests, others }: StartedBroker, broker: string): BrokerRequests => ({
  broker,
  others,
  list: (team, filter) => openRequests.list({ kind: 'local', team, by: '' }, filter),
  cancel: (team, choice, by) => openRequests.cancel({ kind: 'local', team, by }, choice),
});

const brokerView = ({ id, endpoint, key, version, started_at }: BrokerDocument): BrokerView => ({
  id,
  endpoint,
  key,
  version,
  started_at,
});
