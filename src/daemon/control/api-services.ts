import type { BrokerView } from '../../api/contract/brokers.ts';
import type { ApiServices, BrokerRequests, FiringStatus, Firings } from '../../api/services/services.ts';
import type { Firing } from '../../domain/firing.ts';
import type { EventLog } from '../../events/event-log.ts';
import { publishedEvent } from '../../events/firing-events.ts';
import { FleetLog } from '../../events/fleet-log.ts';
import { cancelFiring } from '../../firings/end/end-owed.ts';
import { forgetNode } from '../../firings/end/forget-node.ts';
import { firingStatus, followFiring, recentFirings } from '../../firings/follow/follow-firing.ts';
import type { InboxWatcher } from '../../firings/inbox/inbox-watcher.ts';
import { publishFiring } from '../../firings/publish/publish.ts';
import type { SpoolDrain } from '../../firings/publish/spool-drain.ts';
import { type BrokerDocument, busKeysBelow, listBrokers } from '../../fleet/brokers/wire.ts';
import { nodes } from '../../fleet/nodes.ts';
import type { Keyspace } from '../../store/keys.ts';
import { clock } from '../clock.ts';
import { recordRun } from '../compose/regular-runs.ts';
import type { Runtime } from '../compose/runtime.ts';
import type { StartedBroker } from './broker-view.ts';
import { adoptNode, fleetHealth, nodeView } from './health.ts';
import { localServices } from './local-services.ts';
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

/** So many firings' outcomes are read at a time for `trigger status`. */
const readersAtOnce = 32;

/** The API's firings, on etcd. */
const createFiringsService = (keyspace: Keyspace, events: Pick<EventLog, 'tell'>): Firings => ({
  publish: async (firing) => {
    const { neverSeen } = await publishFiring(keyspace, firing);
    events.tell(publishedEvent(firing, clock.now()));
    return { unseen: neverSeen };
  },
  recent: async (limit) => {
    const firings = await recentFirings(keyspace, limit);
    const statuses: FiringStatus[] = [];
    for (let from = 0; from < firings.length; from += readersAtOnce)
      statuses.push(
        ...(await Promise.all(firings.slice(from, from + readersAtOnce).map((each) => statusOf(keyspace, each)))),
      );
    return statuses;
  },
  status: (id) => firingStatus(keyspace, id),
  follow: (id, signal) => followFiring(keyspace, id, signal),
  cancel: (id, asked) => cancelFiring(keyspace, id, { ...asked, at: clock.now() }),
});

const statusOf = (keyspace: Keyspace, firing: Firing): Promise<FiringStatus> => firingStatus(keyspace, firing.id);
