import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { readTail } from '../../adapters/files/tail-file.ts';
import { leaderPid } from '../../adapters/process/job-files.ts';
import type { BrokerView } from '../../api/contract/brokers.ts';
import type { HealthView } from '../../api/contract/health.ts';
import type { NodeView } from '../../api/contract/nodes.ts';
import type { PluginTestView } from '../../api/contract/plugins.ts';
import type { BrokerRequests } from '../../api/services/brokers.ts';
import type { ApiServices, PluginCatalogue } from '../../api/services/services.ts';
import { queueView } from '../../api/views/queues.ts';
import { iso } from '../../api/views/time.ts';
import { FleetLog } from '../../events/fleet-log.ts';
import { forgetNode } from '../../firings/end/forget-node.ts';
import type { InboxWatcher } from '../../firings/inbox/inbox-watcher.ts';
import type { SpoolDrain } from '../../firings/publish/spool-drain.ts';
import { busKeysBelow } from '../../fleet/brokers/keys.ts';
import { listBrokers } from '../../fleet/brokers/list-brokers.ts';
import type { BrokerDocument } from '../../fleet/brokers/wire.ts';
import { type NodeStatus, nodes } from '../../fleet/nodes.ts';
import { createPluginTest } from '../../plugin/test-plugin.ts';
import { clock } from '../clock.ts';
import { observedQueues } from '../compose/observe.ts';
import type { Parts } from '../compose/parts.ts';
import { recordRun } from '../compose/regular-runs.ts';
import type { StartedBroker } from './broker-view.ts';
import { createFiringsService } from './firings-service.ts';
import { adoptNode, holderView, nameView } from './node-names.ts';
import { createOutputsService, outputFile } from './outputs-service.ts';
import { triggerFiles } from './trigger-files.ts';
import { createWhyService } from './why-service.ts';

/** The rooms as the control API wants them. */
export const apiServices = (parts: Parts, watcher: InboxWatcher, drain: SpoolDrain): ApiServices => {
  const startedAt = new Date().toISOString();
  return {
    queues: observedQueues(parts),
    plugins: pluginCatalogue(parts),
    firings: createFiringsService(parts.place, parts.events),
    spool: drain,
    runs: { record: (run) => recordRun(parts, run) },
    outputs: createOutputsService(parts.queues),
    pidOf: ({ folder }) => leaderPid(folder) ?? null,
    events: {
      here: parts.events,
      fleet: new FleetLog({ ...parts.place, node: parts.options.node, clock, log: parts.options.log }),
    },
    metrics: parts.metrics,
    registry: parts.registry,
    brokers: {
      own: () => parts.broker?.view() ?? null,
      list: async () => (await listBrokers(parts.place.store, busKeysBelow(parts.config.etcd.prefix))).map(brokerView),
      requests: () => (parts.broker === undefined ? null : brokerRequests(parts.broker, parts.options.node)),
    },
    why: createWhyService(parts),
    triggerFiles: triggerFiles(parts),
    nodes: async () => (await nodes(parts.place)).map(nodeView),
    forgetNode: (node, asked) => forgetNode(parts.place, node, { ...asked, at: Date.now() }),
    adoptNode: (node) => adoptNode(parts, node),
    health: () => healthView(parts, watcher, drain, startedAt),
    node: parts.options.node,
    newFiringId: () => ulid(),
    now: () => Date.now(),
  };
};

const brokerRequests = ({ overseen, others }: StartedBroker, broker: string): BrokerRequests => ({
  broker,
  others,
  list: (team, filter) => overseen.list({ kind: 'local', team, by: '' }, filter),
  cancel: (team, choice, by) => overseen.cancel({ kind: 'local', team, by }, choice),
});

const healthView = (
  { options, config, queues, name }: Parts,
  watcher: InboxWatcher,
  drain: SpoolDrain,
  startedAt: string,
): HealthView => {
  const { connected, lastError, since } = watcher.state;
  const { waiting, oldestAt } = drain.state;
  return {
    node: options.node,
    version: options.version,
    pid: process.pid,
    started_at: startedAt,
    state_dir: config.node.state_dir,
    config_file: options.loaded.file,
    etcd: {
      connected,
      endpoints: config.etcd.endpoints,
      last_error: lastError?.message ?? null,
      since: new Date(since).toISOString(),
    },
    name: nameView(name),
    watching: config.watch.enabled && connected && !name.isRefused(),
    spool: { waiting, oldest_at: iso(oldestAt) },
    queues: queues.summary().map(queueView),
  };
};

const brokerView = ({ id, endpoint, key, version, started_at }: BrokerDocument): BrokerView => ({
  id,
  endpoint,
  key,
  version,
  started_at,
});

const nodeView = (status: NodeStatus): NodeView => {
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

export const pluginCatalogue = ({
  plugins,
  runner,
  state,
}: Pick<Parts, 'plugins' | 'runner' | 'state'>): PluginCatalogue => {
  const runTest = createPluginTest({
    room: plugins,
    runner,
    newFolder: async () => {
      const path = await mkdtemp(join(state.path, 'plugin-test-'));
      return { path, remove: () => rm(path, { recursive: true, force: true }) };
    },
    readOutput: async (folder) => (await readTail(outputFile(folder), 65_536)) ?? Buffer.alloc(0),
    now: () => Date.now(),
  });
  return {
    names: () => plugins.names(),
    find: (name) => plugins.find(name),
    isAllowed: (name) => plugins.isAllowed(name),
    test: async (name): Promise<PluginTestView> => {
      const { expectedExitCode, exitCode, output, outputBase64, problem } = await runTest(name);
      const bytes = outputBase64 === undefined ? {} : { output_base64: outputBase64 };
      const expected = { expected_exit_code: expectedExitCode, exit_code: exitCode };
      return { name, ok: problem === null, ...expected, output, ...bytes, problem };
    },
  };
};
