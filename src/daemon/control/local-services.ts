import { ulid } from 'ulid';
import { leaderPid } from '../../adapters/process/job-files.ts';
import type { ApiServices } from '../../api/services/services.ts';
import { clock } from '../clock.ts';
import { observedQueues } from '../compose/observe.ts';
import type { Runtime } from '../compose/runtime.ts';
import { createOutputsService } from './outputs-service.ts';
import { pluginCatalogue } from './plugin-catalogue.ts';

/** What a daemon without etcd has. */
export type WorkerDaemonRuntime = Omit<
  Runtime,
  'keyspace' | 'name' | 'maintenance' | 'space' | 'clockSteps' | 'registry'
>;

type LocalService = 'queues' | 'plugins' | 'outputs' | 'pidOf' | 'metrics' | 'node' | 'now' | 'newFiringId';

/** What every daemon serves: its jobs and its plugins; nothing that needs etcd. */
export const localServices = (runtime: WorkerDaemonRuntime): Pick<ApiServices, LocalService> => ({
  queues: observedQueues(runtime),
  plugins: pluginCatalogue(runtime),
  outputs: createOutputsService(runtime.queues),
  pidOf: ({ folder }) => leaderPid(folder) ?? null,
  metrics: runtime.metrics,
  node: runtime.options.node,
  now: () => clock.now(),
  newFiringId: () => ulid(),
});
