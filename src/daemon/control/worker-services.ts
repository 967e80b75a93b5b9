import { leaderPid } from '../../adapters/process/job-files.ts';
import type { ApiServices } from '../../api/services/services.ts';
import { queueView } from '../../api/views/queues.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { observedQueues } from '../compose/observe.ts';
import type { Parts } from '../compose/parts.ts';
import { pluginCatalogue } from './api-services.ts';
import { createOutputsService } from './outputs-service.ts';
import { noTriggerFiles } from './trigger-files.ts';

/** What a daemon without etcd has. */
export type WorkerDaemonParts = Omit<Parts, 'place' | 'name' | 'maintenance' | 'space' | 'clockSteps' | 'registry'>;

/** The control API of a daemon that is a worker only: its jobs, its plugins and its events; nothing that needs etcd. */
export const workerServices = (parts: WorkerDaemonParts): ApiServices => {
  const { options, config, queues, events, metrics } = parts;
  const startedAt = new Date().toISOString();
  return {
    queues: observedQueues(parts),
    plugins: pluginCatalogue(parts),
    outputs: createOutputsService(queues),
    pidOf: ({ folder }) => leaderPid(folder) ?? null,
    events: { here: events, fleet: events },
    metrics,
    health: () => ({
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
    }),
    node: options.node,
    now: () => Date.now(),
    newFiringId: workerOnly,
    nodes: workerOnly,
    triggerFiles: noTriggerFiles,
    why: workerOnly,
    forgetNode: workerOnly,
    adoptNode: workerOnly,
    firings: { publish: workerOnly, recent: workerOnly, status: workerOnly, follow: workerOnly, cancel: workerOnly },
    spool: { store: workerOnly, publish: workerOnly },
    runs: { record: workerOnly },
    registry: { execute: workerOnly, initialise: workerOnly },
    brokers: { own: workerOnly, list: workerOnly, requests: workerOnly },
  };
};

const workerOnly = (): never => {
  throw new TriggerdError('worker-only', 'this daemon has no etcd: it runs jobs, and does nothing else');
};
