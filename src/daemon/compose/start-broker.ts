import { join } from 'node:path';
import type { BrokerMetrics } from '../../adapters/prometheus/broker-metrics.ts';
import { openCurveKeys } from '../../adapters/zmq/curve-keys.ts';
import { HistoryPages } from '../../broker/records/history-pages.ts';
import { OnlineWorkers } from '../../broker/records/online-workers.ts';
import { advertisedBroker } from '../../config/advertised-broker.ts';
import type { Config } from '../../config/schema.ts';
import { BrokerDirectory } from '../../fleet/brokers/broker-directory.ts';
import { busKeysBelow } from '../../fleet/brokers/keys.ts';
import { serializeBroker } from '../../fleet/brokers/wire.ts';
import type { Releasers } from '../../kit/releasers.ts';
import { clock } from '../clock.ts';
import type { StartedBroker } from '../control/broker-view.ts';
import { observeBroker } from './observe-broker.ts';
import { runBroker } from './run-broker.ts';
import type { Runtime } from './runtime.ts';
import { startAccounts } from './start-accounts.ts';

type BrokerConfig = NonNullable<Config['broker']>;

/** How long a stop waits for requests that run. ms. */
const drainMs = 10_000;

/**
 * This daemon as a broker: keys, registry, socket, and its entry in etcd, in this order; a stop says goodbye first. Throws
 * `state-unusable`, `broker-unusable`.
 */
export const startBroker = async (
  runtime: Runtime,
  settings: BrokerConfig,
  metrics: BrokerMetrics,
  releasers: Releasers,
): Promise<StartedBroker> => {
  const { options, state, keyspace, config, space, name } = runtime;
  const { node, version, log } = options;
  const keys = busKeysBelow(config.etcd.prefix);
  const { publicKey, secretKey } = await openCurveKeys(join(state.path, 'broker', 'curve.json'));
  const { registry, accounts, proofs } = await startAccounts(runtime, node, releasers);
  const history = new HistoryPages({
    store: keyspace.store,
    keys,
    assertSpace: (bytes) => space.assertSpace(bytes),
    log,
  });
  releasers.push('history of requests', () => history.close());
  const presence = new OnlineWorkers(name, keys, node, clock);
  releasers.push('workers in etcd', () => presence.close());
  const directory = new BrokerDirectory({ store: keyspace.store, keys, log });
  let listening = settings.listen;
  const own = () => ({ id: node, endpoint: advertisedBroker(settings, node, listening), key: publicKey });
  // Whoever has our name instead is another one.
  const others = () => directory.brokers.filter(({ id }) => id !== node || name.isRefused());
  const dead = new AbortController();
  const broker = await runBroker({
    id: node,
    listen: settings.listen,
    secretKey,
    registry,
    accounts,
    proofs,
    presence,
    history,
    isRefused: () => name.isRefused(),
    brokers: () => [...(name.isRefused() ? [] : [own()]), ...others()].map(addressOf),
    limits: {
      maxMessage: settings.max_message,
      maxQueued: settings.max_queued,
      maxRequests: settings.max_requests,
      timeoutMs: settings.timeout,
      maxTimeoutMs: Math.max(settings.max_timeout, settings.timeout),
      heartbeatMs: settings.heartbeat,
    },
    observer: observeBroker(runtime, metrics),
    drainMs,
    log,
    onDead: (error) => {
      log.error({ error }, 'The broker’s socket failed, and the broker serves no requests; restart triggerd');
      dead.abort();
    },
  });
  listening = broker.endpoint;
  metrics.lookUp(() => ({ ...broker.state, historyDropped: history.dropped }));
  releasers.push('broker', () => broker.stop());
  directory.onChange(() => broker.brokersChanged());
  directory.start();
  releasers.push('brokers in etcd', () => directory.stop());
  let wasRefused = false;
  const forgetName = name.onChange(() => {
    if (name.isRefused() && !wasRefused) broker.sendAway(others().map(addressOf));
    wasRefused = name.isRefused();
  });
  releasers.push('broker’s name', forgetName);
  const started_at = new Date(clock.now()).toISOString();
  const entry = name.keep(keys.broker(node), () => serializeBroker({ ...own(), version, started_at }));
  dead.signal.addEventListener('abort', () => void entry.close());
  // Released first: nobody new is sent here while the others are told to go.
  releasers.push('broker in etcd', () => entry.close());
  log.info({ listen: broker.endpoint, advertise: own().endpoint, key: publicKey }, 'Broker ready');
  return {
    view: () => ({ ...own(), listen: broker.endpoint, ...broker.state }),
    openRequests: broker.openRequests,
    others: () => directory.brokers.flatMap(({ id }) => (id === node ? [] : id)),
  };
};

const addressOf = ({ id, endpoint, key }: { id: string; endpoint: string; key: string }) => ({ id, endpoint, key });
