/**
 * The composition root: the only place that knows all rooms and adapters. It starts them in the order in which a firing
 * needs them, and `stop` releases them in reverse.
 *
 *     state folder → events → journal → runner → plugins → etcd → outcomes → presence → queues → spool → broker → control socket → trigger files → inbox
 */
import type { Logger } from 'pino';
import type { LoadedConfig } from '../config/config.ts';
import type { Config } from '../config/schema.ts';
import { configuredWorkers, harmlessNotice } from '../config/workers.ts';
import type { EventLog } from '../events/event-log.ts';
import { FiringEvents } from '../events/firing-events.ts';
import { ClockSteps } from '../kit/clock-steps.ts';
import { type Releasers, startWithReleasers } from '../kit/releasers.ts';
import { keysBelow } from '../store/keys.ts';
import { Space } from '../store/space.ts';
import { clock } from './clock.ts';
import { openStore } from './compose/etcd.ts';
import { openLocal } from './compose/local.ts';
import { metricSources, observeJobs } from './compose/observe.ts';
import { noticeAgentRuns } from './compose/regular-runs.ts';
import { changedSections } from './compose/reload.ts';
import type { DaemonOptions, Runtime } from './compose/runtime.ts';
import { serve } from './compose/serve.ts';
import { buildRegistry } from './compose/start-registry.ts';
import { startAsBroker, startAsMount, startAsWorker } from './compose/start-roles.ts';
import {
  announce,
  buildEndedElsewhere,
  buildName,
  buildSweeper,
  buildWatcher,
  drainSpool,
  publishOutcomes,
  rememberIds,
} from './compose/start-watching.ts';

export interface Daemon {
  /** Resolves once the control socket answers and the inbox is watched, or etcd is known to be away. */
  readonly ready: Promise<void>;
  /** Takes up a new configuration as far as a running daemon can. */
  reload(loaded: LoadedConfig): void;
  /** Starts nothing more, lets requests finish, and releases everything; other running jobs continue without us. */
  stop(): Promise<void>;
  /** A stop waits for no request any more. */
  hurry(): void;
}

/** Throws `state-unusable`, `spool-unusable`, `already-running`, `journal-*`, `config-invalid`; whatever was started by then is released. */
export const startDaemon = (options: DaemonOptions): Promise<Daemon> =>
  startWithReleasers(options.log, (releasers) => start(options, releasers));

const start = async (options: DaemonOptions, releasers: Releasers): Promise<Daemon> => {
  const local = await openLocal(options, releasers);
  const { config, events, metrics } = local;
  const { store, maintenance } = await openStore(config, local.state, options.log, releasers);
  const space = new Space({ measure: () => maintenance.measure(), log: options.log });
  const keyspace = { store, keys: keysBelow(config.etcd.prefix) };
  const { version } = options;
  events.tell({ kind: 'daemon.started', version });
  const registry = buildRegistry(store, config, (bytes) => space.assertSpace(bytes), options.log);
  const clockSteps = new ClockSteps();
  const unnamed = { ...local, keyspace, maintenance, space, registry, clockSteps };
  const runtime: Runtime = { ...unnamed, name: buildName(unnamed) };
  const observer = new FiringEvents({ node: options.node, firings: runtime.journal.firings, events, metrics, clock });
  observeJobs(runtime, observer.triggerOf);

  const elsewhere = buildEndedElsewhere(runtime);
  const outcomes = publishOutcomes(runtime, elsewhere, observer, releasers);
  // Before anything of a firing runs.
  runtime.firingGate.waitFor(runtime.name);
  announce(runtime, releasers);
  await runtime.queues.start();
  releasers.push('queues', () => runtime.queues.stop());
  const watcher = buildWatcher(runtime, { outcomes, elsewhere, ids: rememberIds(runtime, releasers), observer });
  const drain = await drainSpool(runtime, releasers);
  const sweeper = buildSweeper(runtime);
  metrics.lookUp(metricSources(runtime, { watcher, outcomes, drain, sweeper }));
  const broker = await startAsBroker(runtime, metrics, releasers);
  const reached = { ...runtime, ...(broker && { broker }) };
  const mount = await startAsMount(reached, releasers);
  const served = { ...reached, ...(mount && { mount }) };
  await serve(served, watcher, drain, releasers);
  const workers = await startAsWorker(served, releasers);
  if (config.watch.enabled) {
    watcher.start();
    releasers.push('inbox', () => watcher.stop());
  }
  if (config.watch.enabled) noticeAgentRuns(runtime, releasers);
  sweeper?.start();
  releasers.push('sweeper', () => sweeper?.stop());
  return {
    ready: config.watch.enabled ? watcher.ready : Promise.resolve(),
    reload: createReload(config, runtime.plugins, events, options.log),
    stop: () => {
      events.tell({ kind: 'daemon.stopping', version });
      return releasers.release();
    },
    hurry: () => workers?.hurry(),
  };
};

const createReload = (
  startConfig: Config,
  plugins: Runtime['plugins'],
  events: EventLog,
  log: Logger,
): Daemon['reload'] => {
  let current = startConfig;
  return ({ config: wanted }) => {
    const { now, atRestart } = changedSections(current, wanted);
    current = { ...current, ...Object.fromEntries(now.map((name) => [name, wanted[name]])) };
    plugins.configure(current);
    if (now.includes('workers') && configuredWorkers(current).length > 0 && plugins.servesHarmlessOnly())
      log.warn({}, harmlessNotice);
    log.level = current.log.level;
    if (atRestart.length > 0) log.warn({ sections: atRestart }, 'Changed sections take effect at the next restart');
    log.info({ sections: now }, 'Reloaded the configuration');
    events.tell({ kind: 'config.reloaded', sections: now });
  };
};
