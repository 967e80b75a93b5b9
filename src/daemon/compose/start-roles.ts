/**
 * What only some nodes are: broker, mount, worker. Their code is loaded where they are configured: sockets and encryption
 * that nobody uses would be a tenth of an idle daemon's memory.
 */
import type { DaemonMetrics } from '../../adapters/prometheus/metrics.ts';
import { configuredWorkers } from '../../config/workers.ts';
import type { Releasers } from '../../kit/releasers.ts';
import type { StartedBroker } from '../control/broker-view.ts';
import type { MountHost } from '../mount/mount-host.ts';
import type { Runtime } from './runtime.ts';
import type { Workers } from './start-workers.ts';

/** Throws `state-unusable`, `broker-unusable`. */
export const startAsBroker = async (
  runtime: Runtime,
  metrics: DaemonMetrics,
  releasers: Releasers,
): Promise<StartedBroker | undefined> => {
  const { broker } = runtime.config;
  if (broker === undefined) return undefined;
  const { startBroker } = await import('./start-broker.ts');
  return startBroker(runtime, broker, metrics.addBroker(), releasers);
};

/** Throws `journal-failed`. */
export const startAsMount = async (runtime: Runtime, releasers: Releasers): Promise<MountHost | undefined> => {
  const { mountpoint } = runtime.config.triggerfs;
  if (mountpoint === undefined) return undefined;
  const { startMount } = await import('./start-mount.ts');
  return startMount(runtime, mountpoint, releasers);
};

/** Throws `config-invalid`. */
export const startAsWorker = async (runtime: Runtime, releasers: Releasers): Promise<Workers | undefined> => {
  const workers = configuredWorkers(runtime.config);
  if (workers.length === 0) return undefined;
  const { startNodeWorkers } = await import('./start-workers.ts');
  return startNodeWorkers(runtime, workers, releasers);
};
