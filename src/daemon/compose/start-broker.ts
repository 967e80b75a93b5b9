import { join } from 'node:path';
import { ulid } from 'ulid';
import { proofOpener, workerTokens } from '../../adapters/crypto/proofs.ts';
import { createTokenChecker, openIssuer } from '../../adapters/crypto/tokens.ts';
import type { BrokerMetrics } from '../../adapters/prometheus/broker-metrics.ts';
import { openCurveKeys } from '../../adapters/zmq/zap.ts';
import { HistoryPages } from '../../broker/records/history-pages.ts';
import { OnlineWorkers } from '../../broker/records/online-workers.ts';
import { advertisedBroker } from '../../config/brokers.ts';
import type { Config } from '../../config/schema.ts';
import { BrokerDirectory } from '../../fleet/brokers/broker-directory.ts';
import { busKeysBelow, serializeBroker } from '../../fleet/brokers/wire.ts';
import type { Releasers } from '../../kit/releasers.ts';
import { Accounts } from '../../registry/accounts.ts';
import { type BusAccounts, type BusProofs, type BusRegistry, MirroredRegistry } from '../../registry/bus-registry.ts';
import { IssuerPublication } from '../../registry/issuer-publication.ts';
import { registryKeysBelow } from '../../registry/keys.ts';
import { Proofs } from '../../registry/proofs.ts';
import { clock } from '../clock.ts';
import type { StartedBroker } from '../control/broker-view.ts';
import { observeBroker, runBroker } from './run-broker.ts';
import type { Runtime } from './runtime.ts';

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

/**
 * The registry as a broker needs it: kept current in memory, and able to tell who is who. `broker` is its id. Resolves
 * once it has been read, or etcd is known to be away. Throws `state-unusable`.
 */
const startAccounts = async (
  { state, registry, keyspace, config, name, options: { log } }: Runtime,
  broker: string,
  releasers: Releasers,
): Promise<{ readonly registry: BusRegistry; readonly accounts: BusAccounts; readonly proofs: BusProofs }> => {
  const issuer = await openIssuer(join(state.path, 'broker', 'jwt.json'), broker, clock);
  const { mirror } = registry;
  const mirrored = new MirroredRegistry(mirror, clock);
  mirror.start();
  releasers.push('registry', () => mirror.stop());
  await mirror.ready;
  const keys = registryKeysBelow(config.etcd.prefix);
  const publication = new IssuerPublication({ store: keyspace.store, keys, mirror, name, issuer, broker, clock, log });
  releasers.push('token key', () => publication.close());
  // Without etcd there is nothing to wait for: nobody can log in until it is back.
  if (mirror.state !== undefined) await publication.ready;
  const accounts = new Accounts({
    registry,
    mirrored,
    passwords: registry.passwords,
    tokens: workerTokens,
    issuer,
    checker: createTokenChecker(clock),
    clock,
    log,
  });
  const proofs = new Proofs({ mirrored, issuer, opener: proofOpener, instance: ulid(), clock });
  return { registry: mirrored, accounts, proofs };
};
