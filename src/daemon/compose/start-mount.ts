import { resolve } from 'node:path';
import { credentialsOf } from '../../client/main-section.ts';
import { configuredBrokers } from '../../config/brokers.ts';
import type { BrokerEndpoint } from '../../domain/broker-address.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { BrokerDirectory } from '../../fleet/brokers/broker-directory.ts';
import { busKeysBelow } from '../../fleet/brokers/wire.ts';
import type { Log } from '../../kit/log.ts';
import type { Releasers } from '../../kit/releasers.ts';
import { writeHits } from '../../registry/hits.ts';
import { registryKeysBelow } from '../../registry/keys.ts';
import { ownBroker } from '../control/broker-view.ts';
import { BusConnection, createBusSender } from '../mount/bus-connection.ts';
import { type MountHost, mountSettings, startMountHost } from '../mount/mount-host.ts';
import { mirroredTree } from '../mount/tree-sources.ts';
import type { Runtime } from './runtime.ts';

/** What a counter takes in etcd, about. */
const bytesOfHit = 190;

/**
 * Mounts the trigger files at this folder. What keeps them from being mounted is logged, and no
 * reason to do without the rest of the daemon. Throws `journal-failed`.
 */
export const startMount = (runtime: Runtime, mountpoint: string, releasers: Releasers): MountHost | undefined => {
  const { config, registry, journal, options } = runtime;
  const log = options.log.child({ mountpoint: resolve(mountpoint) });
  const login = loginOf(runtime);
  if (login === undefined) return undefined;
  const { team, credentials } = login;
  registry.mirror.start();
  releasers.push('registry mirror', () => registry.mirror.stop());
  const brokers = findBrokers(runtime, log, releasers);
  const keys = registryKeysBelow(config.etcd.prefix);
  const connection = new BusConnection(() => ({ brokers: brokers(), ...credentials }), log);
  releasers.push('trigger files’ broker', () => connection.close());
  const logOptions = { ...config.log, node: options.node, isTerminal: process.stderr.isTTY };
  const host = startMountHost(
    {
      ...mountSettings(config, resolve(mountpoint), logOptions),
      installRoot: options.installRoot,
      spool: journal.fileMessages(team),
      sender: createBusSender(connection),
      source: mirroredTree(registry, { team, identity: config.main.identity }, connection),
      hits: {
        publish: async (hits) => {
          await runtime.space.assertSpace(hits.size * bytesOfHit);
          await writeHits({ store: runtime.keyspace.store, keys }, team, options.node, hits);
        },
      },
      onOutput: ({ name }, { request, result, exitCode }) =>
        log.info({ trigger: name, request, result, exitCode }, 'The request of a trigger file has ended'),
      log,
    },
    releasers,
  );
  host.mounted.then(
    () => log.info({}, 'Mounted the trigger files'),
    (error: unknown) => log.error({ error }, 'Cannot mount the trigger files; retrying'),
  );
  return host;
};

const loginOf = ({ config, options: { log } }: Runtime) => {
  try {
    const { team } = config.main;
    if (team === undefined) throw new TriggerdError('team-missing', '[main] team is missing');
    return { team, credentials: credentialsOf(config.main) };
  } catch (error) {
    log.error({ error }, 'Cannot mount the trigger files');
    return undefined;
  }
};

/** Brokers that are up, as etcd has it, after those of `[main] broker` and the daemon's own. */
const findBrokers = (runtime: Runtime, log: Log, releasers: Releasers): (() => BrokerEndpoint[]) => {
  const { main, etcd } = runtime.config;
  const { store } = runtime.keyspace;
  const fixed = [...(main.broker === undefined ? [] : configuredBrokers(main)), ...ownBroker(runtime)];
  const directory = new BrokerDirectory({ store, keys: busKeysBelow(etcd.prefix), log });
  directory.start();
  releasers.push('brokers for trigger files', () => directory.stop());
  return () => {
    const brokers = [...fixed, ...directory.brokers];
    if (brokers.length === 0) throw new TriggerdError('broker-unreachable', 'no broker is up');
    return brokers;
  };
};
