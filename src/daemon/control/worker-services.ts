import type { ApiServices } from '../../api/services/services.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { localHealth } from './health.ts';
import { localServices, type WorkerDaemonRuntime } from './local-services.ts';
import { noTriggerFiles } from './trigger-files.ts';

/** The control API of a daemon that is a worker only: its jobs, its plugins and its events; nothing that needs etcd. */
export const workerServices = (runtime: WorkerDaemonRuntime): ApiServices => {
  const { events } = runtime;
  const startedAt = new Date().toISOString();
  return {
    ...localServices(runtime),
    events: { here: events, fleet: events },
    health: () => localHealth(runtime, startedAt),
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
  throw new TriggerdError('worker-only', 'this daemon has no etcd: it only runs jobs');
};
