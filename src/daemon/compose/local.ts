import { createEventFiles } from '../../adapters/files/event-files.ts';
import { prepareControlSocket, prepareStateFolder, protectControlSocket } from '../../adapters/files/state-folder.ts';
import { serveRoutes } from '../../adapters/http/serve-routes.ts';
import { createMetrics, type MetricSources } from '../../adapters/prometheus/metrics.ts';
import { controlRoutes } from '../../api/control-routes.ts';
import type { ApiServices } from '../../api/services/services.ts';
import { EventLog } from '../../events/event-log.ts';
import type { Releasers } from '../../kit/releasers.ts';
import { clock } from '../clock.ts';
import type { DaemonOptions, WorkerDaemonRuntime } from './runtime.ts';
import { buildQueues } from './start-queues.ts';

/**
 * What every daemon has, with etcd or without: its state folder, its events, its queues (not started yet), and the place of
 * its control socket. Throws `state-unusable`, `already-running`, `journal-*`.
 */
export const openLocal = async (options: DaemonOptions, releasers: Releasers): Promise<WorkerDaemonRuntime> => {
  const { node, version, log } = options;
  const { config } = options.loaded;
  const state = await prepareStateFolder(config.node.state_dir);
  const events = await EventLog.open({ node, store: createEventFiles(state.path), clock, log });
  // Whatever is told until the end is written.
  releasers.push('events', () => events.close());
  const queueRuntime = buildQueues(options, config, state, releasers);
  // Before anything runs: a daemon that could not be reached would be no use.
  await prepareControlSocket(config.node.socket);
  return { options, config, state, events, metrics: createMetrics(version), ...queueRuntime };
};

/** Opens the control socket, whose place is prepared; `forOneUser`: nobody else may use it. */
export const serveControl = async (
  { options: { log }, config }: Pick<WorkerDaemonRuntime, 'options' | 'config'>,
  services: ApiServices,
  releasers: Releasers,
  { forOneUser = false } = {},
): Promise<void> => {
  const path = config.node.socket;
  const app = serveRoutes(controlRoutes(services), (error) =>
    log.error({ error }, 'A request to the control API failed'),
  );
  releasers.push('control socket', () => app.close());
  await app.listen({ path });
  protectControlSocket(path, { forOneUser });
};

/** What the metrics look up where there is no etcd. */
export const localMetricSources = ({
  queues,
  journal,
}: Pick<WorkerDaemonRuntime, 'queues' | 'journal'>): MetricSources => ({
  queues: () => queues.summary(),
  oldestQueuedAt: (queue) =>
    journal.journal.list({ queue, states: ['queued'], limit: 1, commandLength: 1 })[0]?.enqueuedAt ?? null,
  isEtcdUp: () => null,
  outcomesPending: () => 0,
  spool: () => ({ waiting: 0, oldestAt: null }),
  isSweeper: () => false,
  etcdSpace: async () => undefined,
  now: clock.now,
});
