/**
 * The composition root of a daemon without etcd: a worker and nothing else, or the queue of one user. What `daemon.ts`
 * starts, less all that needs etcd.
 *
 *     state folder → events → journal → runner → plugins → queues → control socket → worker
 */
import { prepareControlSocket, prepareStateFolder, protectControlSocket } from '../adapters/files/state-folder.ts';
import { serveRoutes } from '../adapters/http/serve-routes.ts';
import { createMetrics } from '../adapters/prometheus/metrics.ts';
import { controlRoutes } from '../api/control-routes.ts';
import { workersBrokers } from '../config/brokers.ts';
import type { ConfiguredWorker } from '../config/workers.ts';
import { type Releasers, startWithReleasers } from '../kit/releasers.ts';
import { clock } from './clock.ts';
import { observeJobs, openEvents } from './compose/observe.ts';
import type { DaemonOptions, WorkerDaemonRuntime } from './compose/runtime.ts';
import { buildQueues } from './compose/start-queues.ts';
import { startWorkers } from './compose/start-workers.ts';
import { workerServices } from './control/local-services.ts';

export interface WorkerDaemon {
  /** Takes nothing new, lets what runs finish, and releases everything. */
  stop(): Promise<void>;
  /** A stop waits for no request any more. */
  hurry(): void;
}

export interface WorkerDaemonOptions extends DaemonOptions {
  /** Undefined: it only has queues (`triggerd --user`). */
  readonly worker: ConfiguredWorker | undefined;
}

/**
 * The control socket answers when it resolves; brokers are tried from then on. Throws `broker-missing`, `state-unusable`,
 * `already-running`, `journal-*`, `config-invalid`; whatever was started by then is released.
 */
export const startWorkerDaemon = (options: WorkerDaemonOptions): Promise<WorkerDaemon> =>
  startWithReleasers(options.log, (releasers) => start(options, releasers));

const start = async (options: WorkerDaemonOptions, releasers: Releasers): Promise<WorkerDaemon> => {
  const { config } = options.loaded;
  const brokers = options.worker === undefined ? [] : workersBrokers(config);
  const state = await prepareStateFolder(config.node.state_dir);
  const events = await openEvents(options, state, releasers);
  const queueRuntime = buildQueues(options, config, state, releasers);
  await prepareControlSocket(config.node.socket);
  const { version } = options;
  events.tell({ kind: 'daemon.started', version });
  const metrics = createMetrics(version);
  const runtime: WorkerDaemonRuntime = { options, config, state, events, metrics, ...queueRuntime };
  observeJobs(runtime, () => undefined);
  lookUpMetrics(runtime);
  await runtime.queues.start();
  releasers.push('queues', () => runtime.queues.stop());
  await serve(runtime, options.worker !== undefined, releasers);
  const stop = (): Promise<void> => {
    events.tell({ kind: 'daemon.stopping', version });
    return releasers.release();
  };
  if (options.worker === undefined) return { stop, hurry: () => undefined };
  const { team, identity } = options.worker;
  options.log.info({}, `Jobs of ${team}/${identity}: trigger queue --queue requests --socket ${config.node.socket}`);
  if (runtime.plugins.names().length === 0)
    options.log.warn({}, `No plugins below ${config.plugins.path}: every request will be refused`);
  const workers = startWorkers(runtime, [options.worker], brokers, releasers);
  return { stop, hurry: workers.hurry };
};

const serve = async (runtime: WorkerDaemonRuntime, isWorker: boolean, releasers: Releasers): Promise<void> => {
  const { log } = runtime.options;
  const path = runtime.config.node.socket;
  const app = serveRoutes(controlRoutes(workerServices(runtime)), (error) =>
    log.error({ error }, 'A request to the control API failed'),
  );
  releasers.push('control socket', () => app.close());
  await app.listen({ path });
  protectControlSocket(path, { forOneUser: !isWorker });
};

const lookUpMetrics = ({ metrics, queues, journal }: WorkerDaemonRuntime): void =>
  metrics.lookUp({
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
