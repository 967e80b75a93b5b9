import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { outputFile, readTail } from '../../adapters/files/tail-file.ts';
import { leaderPid } from '../../adapters/process/job-files.ts';
import type { PluginTestView } from '../../api/contract/plugins.ts';
import type { ApiServices, PluginCatalogue } from '../../api/services/services.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { createPluginTest } from '../../plugin/test-plugin.ts';
import { clock } from '../clock.ts';
import { observedQueues } from '../compose/observe.ts';
import type { WorkerDaemonRuntime } from '../compose/runtime.ts';
import { localHealth } from './health.ts';
import { createOutputsService } from './outputs-service.ts';
import { noTriggerFiles } from './trigger-files.ts';

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

/** The plugins of this node, and how they are tried. */
const pluginCatalogue = ({
  plugins,
  runner,
  state,
}: Pick<WorkerDaemonRuntime, 'plugins' | 'runner' | 'state'>): PluginCatalogue => {
  const runTest = createPluginTest({
    catalogue: plugins,
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
