/**
 * The composition root of a daemon without etcd: a worker and nothing else, or the queue of one user. What `daemon.ts`
 * starts, less all that needs etcd.
 *
 *     state folder → events → journal → runner → plugins → queues → control socket → worker
 */
import { workersBrokers } from '../config/brokers.ts';
import type { ConfiguredWorker } from '../config/workers.ts';
import { type Releasers, startWithReleasers } from '../kit/releasers.ts';
import { localMetricSources, openLocal, serveControl } from './compose/local.ts';
import { observeJobs } from './compose/observe.ts';
import type { DaemonOptions } from './compose/runtime.ts';
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
  const runtime = await openLocal(options, releasers);
  const { version } = options;
  runtime.events.tell({ kind: 'daemon.started', version });
  observeJobs(runtime, () => undefined);
  runtime.metrics.lookUp(localMetricSources(runtime));
  await runtime.queues.start();
  releasers.push('queues', () => runtime.queues.stop());
  await serveControl(runtime, workerServices(runtime), releasers, { forOneUser: options.worker === undefined });
  const stop = (): Promise<void> => {
    runtime.events.tell({ kind: 'daemon.stopping', version });
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
