import { furtherBrokers } from '../../config/brokers.ts';
import type { ConfiguredWorker } from '../../config/workers.ts';
import { BrokerDirectory } from '../../fleet/brokers/broker-directory.ts';
import { busKeysBelow } from '../../fleet/brokers/wire.ts';
import type { Releasers } from '../../kit/releasers.ts';
import { ownBroker } from '../control/broker-view.ts';
import type { Runtime } from './runtime.ts';
import { startWorkers, type Workers } from './start-workers.ts';

/**
 * The workers that a node's configuration names, at every broker that etcd knows, and at those of `[workers] broker`, else of
 * `[main] broker`.
 * Throws `config-invalid`.
 */
export const startNodeWorkers = (
  runtime: Runtime,
  workers: readonly ConfiguredWorker[],
  releasers: Releasers,
): Workers => {
  const { config, keyspace, options } = runtime;
  const fixed = [...furtherBrokers(config), ...ownBroker(runtime)];
  const directory = new BrokerDirectory({
    store: keyspace.store,
    keys: busKeysBelow(config.etcd.prefix),
    log: options.log,
  });
  directory.start();
  releasers.push('brokers for workers', () => directory.stop());
  const started = startWorkers(runtime, workers, fixed, releasers);
  // Later ones count where two have the same key: what is written down knows the way from here.
  directory.onChange(() => started.connectTo([...directory.brokers, ...fixed]));
  return started;
};
