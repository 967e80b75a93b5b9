import { join } from 'node:path';
import { openSpoolFolder } from '../../adapters/files/spool-folder.ts';
import { createNameMemory } from '../../adapters/files/state-folder.ts';
import { readOutputTail } from '../../adapters/files/tail-file.ts';
import { createNameHost } from '../../adapters/system/name-host.ts';
import type { Config } from '../../config/schema.ts';
import { configuredWorkers } from '../../config/workers.ts';
import { publishedEvent, spooledEvent } from '../../events/firing-events.ts';
import { nameFacts } from '../../events/name-events.ts';
import { EndedElsewhere } from '../../firings/inbox/ended-elsewhere.ts';
import { IdMemory } from '../../firings/inbox/id-memory.ts';
import { InboxWatcher } from '../../firings/inbox/inbox-watcher.ts';
import { OutcomePublisher } from '../../firings/outcomes/outcome-publisher.ts';
import type { FiringObserver, SpooledKeyspace } from '../../firings/ports.ts';
import { SpoolDrain } from '../../firings/publish/spool-drain.ts';
import { Sweeper } from '../../firings/sweep/sweeper.ts';
import { Upkeep } from '../../firings/sweep/upkeep.ts';
import { NodeName } from '../../fleet/names/node-name.ts';
import type { Releasers } from '../../kit/releasers.ts';
import type { QueueSummary } from '../../queue/verbs/look.ts';
import { clock } from '../clock.ts';
import type { Runtime } from './runtime.ts';

/** How long a stop waits for outcomes that etcd does not have yet; the next start publishes the rest. */
const flushMs = 2_000;

/** Deals with firings that others end. */
export const buildEndedElsewhere = ({ options, journal, queues, keyspace }: Runtime): EndedElsewhere => {
  const { node, log } = options;
  return new EndedElsewhere({ ...keyspace, node, firings: journal.firings, queues, clock, log });
};

/** Tells etcd what becomes of firings. */
export const publishOutcomes = (
  { options: { node, log }, journal: { firings }, queues, keyspace, name }: Runtime,
  elsewhere: EndedElsewhere,
  observer: FiringObserver,
  releasers: Releasers,
): OutcomePublisher => {
  const rooms = { ...keyspace, firings, queues, name, elsewhere, observer };
  const publisher = new OutcomePublisher({ ...rooms, node, readTail: readOutputTail, log });
  publisher.start();
  releasers.push('outcomes', () => publisher.close(flushMs));
  return publisher;
};

/** This node's name, of which nothing is said yet. */
export const buildName = ({ options, config, state, queues, keyspace, events }: Omit<Runtime, 'name'>): NodeName => {
  const { node, version, log } = options;
  const roles = [
    ...(config.watch.enabled ? ['watch'] : []),
    ...(config.broker === undefined ? [] : ['broker']),
    ...(configuredWorkers(config).length === 0 ? [] : ['worker']),
  ];
  const startedAt = clock.now();
  return new NodeName({
    ...keyspace,
    node,
    version,
    describe: () => ({ roles, startedAt, queues: lengthsOf(queues.summary()) }),
    takeover: config.node.takeover,
    host: createNameHost(),
    memory: createNameMemory(state.path),
    clock,
    log,
    tell: (happened) => events.tell(nameFacts(happened)),
  });
};

/** Says in etcd that this node is there, and what is in its queues. */
export const announce = ({ name, queues }: Runtime, releasers: Releasers): void => {
  name.start();
  const unsubscribe = queues.onChange(() => name.refresh());
  releasers.push('presence', () => {
    unsubscribe();
    return name.close();
  });
};

const lengthsOf = (queues: readonly QueueSummary[]) =>
  Object.fromEntries(queues.map(({ name, queued, running }) => [name, { queued, running }]));

/** Remembers which firings this node has seen, for as long as the configuration says. */
export const rememberIds = ({ options, config, journal }: Runtime, releasers: Releasers): IdMemory => {
  const ids = new IdMemory({ firings: journal.firings, keepMs: config.history.ids, clock, log: options.log });
  ids.start();
  releasers.push('id memory', () => ids.stop());
  return ids;
};

interface Neighbours {
  readonly outcomes: OutcomePublisher;
  readonly elsewhere: EndedElsewhere;
  readonly ids: IdMemory;
  readonly observer: FiringObserver;
}

/** The watcher of this node's inbox; not started yet. */
export const buildWatcher = (runtime: Runtime, neighbours: Neighbours): InboxWatcher => {
  const { options, journal, plugins, queues, keyspace, events, name } = runtime;
  return new InboxWatcher({
    ...keyspace,
    node: options.node,
    firings: journal.firings,
    intake: queues,
    decideJob: plugins.decideJob,
    ...neighbours,
    name,
    clock,
    log: options.log,
    onConnected: () => {
      // A replaced etcd has never seen this node.
      name.look();
      events.tell({ kind: 'etcd.back' });
    },
    onLost: ({ message }) => events.tell({ kind: 'etcd.lost', reason: message }),
  });
};

/** Publishes what Puppet runs and the control API leave in the spool. Throws `spool-unusable`. */
export const drainSpool = async (runtime: Runtime, releasers: Releasers): Promise<SpoolDrain> => {
  const { options, config, keyspace, events } = runtime;
  const spool = await openSpoolFolder(config.node.spool ?? join(config.node.state_dir, 'spool'));
  const isOurs = (named: SpooledKeyspace) => isConfigured(config.etcd, named);
  const drain = new SpoolDrain({
    ...keyspace,
    spool,
    isOurs,
    clock,
    log: options.log,
    onStored: (firing) => events.tell(spooledEvent(firing, clock.now())),
    onPublished: (firing) => events.tell(publishedEvent(firing, clock.now())),
  });
  drain.start();
  releasers.push('spool', () => drain.stop());
  return drain;
};

/** One endpoint in common is one cluster in common. */
const isConfigured = (etcd: Config['etcd'], { endpoints, prefix }: SpooledKeyspace): boolean =>
  prefix === etcd.prefix &&
  endpoints.some((endpoint) => etcd.endpoints.some((own) => hostOf(own) === hostOf(endpoint)));

const hostOf = (endpoint: string): string => {
  try {
    return new URL(endpoint).host;
  } catch {
    return endpoint;
  }
};

/** A candidate for the one that keeps etcd tidy, once it is started; undefined if the configuration forbids it. */
export const buildSweeper = ({ options, config, keyspace, maintenance }: Runtime): Sweeper | undefined => {
  if (!config.sweeper.enabled) return undefined;
  return new Sweeper({
    ...keyspace,
    node: options.node,
    everyMs: config.sweeper.interval,
    abandonedMs: config.sweeper.abandoned,
    firingsKept: config.history.firings_keep,
    requestsMaxAgeMs: config.history.requests_max_age,
    requestsSize: config.history.requests_size,
    firingsMaxAgeMs: config.history.firings_max_age,
    upkeep: new Upkeep({
      maintenance,
      mode: config.sweeper.upkeep,
      compactAfterMs: config.sweeper.compact_after,
      log: options.log,
    }),
    clock,
    log: options.log,
  });
};
