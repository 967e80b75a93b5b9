/**
 * The composition root: the only place that knows all rooms and adapters. It starts them in the order in which a firing
 * needs them, and `stop` releases them in reverse.
 *
 *     state folder → journal → runner → plugins → queues → etcd → outcomes, presence → control socket → inbox
 */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { connect, type EtcdStore } from '../adapters/etcd/connect.ts';
import { startEmbeddedEtcd } from '../adapters/etcd/embedded.ts';
import { prepareControlSocket, protectControlSocket } from '../adapters/files/control-socket.ts';
import { prepareStateFolder, type StateFolder } from '../adapters/files/state-folder.ts';
import { createProcessRunner } from '../adapters/process/process-runner.ts';
import { createWatchPaths } from '../adapters/process/watch-paths.ts';
import { type OpenJournal, openJournal } from '../adapters/sqlite/open-journal.ts';
import { createApp } from '../api/app.ts';
import type { LoadedConfig } from '../config/config.ts';
import type { Config } from '../config/schema.ts';
import type { Job } from '../domain/job.ts';
import { createQueues } from '../queue/create-queues.ts';
import type { Runner } from '../queue/ports.ts';
import type { Queues } from '../queue/queues.ts';
import { InboxWatcher } from '../watch/inbox-watcher.ts';
import { keysBelow } from '../watch/keys.ts';
import { NodePresence } from '../watch/node-presence.ts';
import { OutcomePublisher } from '../watch/outcome-publisher.ts';
import type { Place } from '../watch/publish.ts';
import { apiServices } from './api-services.ts';
import { contextDocument } from './context.ts';
import { etcdOptions } from './etcd-options.ts';
import { createLivePlugins, type LivePlugins } from './live-plugins.ts';
import { readOutputTail } from './outputs-service.ts';
import { createReleasers, type Releasers } from './releasers.ts';
import { changedSections } from './reload.ts';

export interface DaemonOptions {
  readonly loaded: LoadedConfig;
  /** This node's name, resolved. */
  readonly node: string;
  readonly version: string;
  /** The folder that holds `dist/` and `plugins/`. */
  readonly installRoot: string;
  readonly log: Logger;
}

export interface Daemon {
  /** Resolves once the control socket answers and the inbox is watched, or etcd is known to be away. */
  readonly ready: Promise<void>;
  /** Takes up a new configuration as far as a running daemon can. */
  reload(loaded: LoadedConfig): void;
  /** Starts nothing more and releases everything; running jobs go on without us. */
  stop(): Promise<void>;
}

/** How long a stop waits for outcomes that etcd does not have yet; the next start publishes the rest. */
const flushMs = 2_000;
const historyEveryMs = 60_000;
const clock = { now: () => Date.now() };

/** Throws `state-unusable`, `already-running`, `journal-*`, `config-invalid`; whatever was started by then is released. */
export const startDaemon = async (options: DaemonOptions): Promise<Daemon> => {
  const releasers = createReleasers(options.log);
  try {
    return await start(options, releasers);
  } catch (error) {
    await releasers.release();
    throw error;
  }
};

const start = async (options: DaemonOptions, releasers: Releasers): Promise<Daemon> => {
  const { log, node } = options;
  let { config } = options.loaded;
  const state = prepareStateFolder(config.node.state_dir);
  await prepareControlSocket(config.node.socket);
  const journal = open(state, releasers);
  const runner = startRunner(options, releasers);
  const contextOf = (job: Job) => contextDocument(node, journal.firings, job);
  const plugins = createLivePlugins({ node, installRoot: options.installRoot, contextOf, log }, config);
  const queues = buildQueues(config, { journal, runner, plugins, log });
  const store = await openStore(config, state, log, releasers);
  const place: Place = { store, keys: keysBelow(config.etcd.prefix) };
  const parts: Parts = { options, config, state, journal, runner, plugins, queues, place };

  const outcomes = publishOutcomes(parts, releasers);
  const watcher = buildWatcher(parts, outcomes);
  await queues.start();
  releasers.push('queues', () => queues.stop());
  announce(parts, releasers);
  await serve(parts, watcher, releasers);
  if (config.watch.enabled) {
    watcher.start();
    releasers.push('inbox watcher', () => watcher.stop());
  }
  return {
    ready: config.watch.enabled ? watcher.ready : Promise.resolve(),
    reload: (loaded) => {
      config = applyConfig(config, loaded.config, plugins, log);
    },
    stop: () => releasers.release(),
  };
};

/** What the steps below share. */
export interface Parts {
  readonly options: DaemonOptions;
  readonly config: Config;
  readonly state: StateFolder;
  readonly journal: OpenJournal;
  readonly runner: Runner;
  readonly plugins: LivePlugins;
  readonly queues: Queues;
  readonly place: Place;
}

const open = (state: StateFolder, releasers: Releasers): OpenJournal => {
  const journal = openJournal({ file: state.journalFile, jobsDir: state.jobsDir });
  releasers.push('journal', () => journal.close());
  return journal;
};

const startRunner = ({ installRoot }: DaemonOptions, releasers: Releasers): Runner => {
  const main = join(installRoot, 'dist/adapters/process/runner-main.js');
  const runner = createProcessRunner({ command: [process.execPath, main] });
  releasers.push('runner', () => runner.close());
  return runner;
};

const buildQueues = (config: Config, parts: Pick<Parts, 'journal' | 'runner' | 'plugins'> & { log: Logger }): Queues =>
  createQueues({
    queues: Object.entries(config.queues).map(([name, { slots, max_queued: maxQueued }]) => ({
      name,
      slots,
      maxQueued,
    })),
    journal: parts.journal.journal,
    runner: parts.runner,
    plugins: parts.plugins,
    watchPaths: createWatchPaths(),
    clock,
    log: parts.log,
    history: { keep: config.history.keep, maxAgeMs: config.history.max_age, every: historyEveryMs },
  });

const openStore = async (config: Config, state: StateFolder, log: Logger, releasers: Releasers): Promise<EtcdStore> => {
  const options = etcdOptions(config, log);
  if (config.etcd.embedded) {
    const embedded = await startEmbeddedEtcd({ stateDir: state.path, clientUrl: options.endpoints[0], log });
    releasers.push('embedded etcd', () => embedded.close());
  }
  const store = connect(options);
  releasers.push('etcd', () => store.close());
  return store;
};

const publishOutcomes = ({ options, journal, queues, place }: Parts, releasers: Releasers): OutcomePublisher => {
  const { node, log } = options;
  const publisher = new OutcomePublisher({
    ...place,
    node,
    firings: journal.firings,
    queues,
    readTail: readOutputTail,
    log,
  });
  publisher.start();
  releasers.push('outcomes', () => publisher.close(flushMs));
  return publisher;
};

const buildWatcher = ({ options, journal, plugins, queues, place }: Parts, outcomes: OutcomePublisher): InboxWatcher =>
  new InboxWatcher({
    ...place,
    node: options.node,
    firings: journal.firings,
    intake: queues,
    decideJob: (firing) => plugins.decideJob(firing),
    outcomes,
    clock,
    log: options.log,
  });

const announce = ({ options, config, queues, place }: Parts, releasers: Releasers): void => {
  const roles = config.watch.enabled ? ['watch'] : [];
  const { node, version, log } = options;
  const presence = new NodePresence({ ...place, node, version, roles, startedAt: clock.now(), queues, clock, log });
  presence.start();
  releasers.push('presence', () => presence.close());
};

const serve = async (parts: Parts, watcher: InboxWatcher, releasers: Releasers): Promise<void> => {
  const { log } = parts.options;
  const app = createApp(apiServices(parts, watcher), (error) =>
    log.error({ error }, 'a request to the control API failed'),
  );
  await app.listen({ path: parts.config.node.socket });
  protectControlSocket(parts.config.node.socket);
  releasers.push('control socket', () => app.close());
};

/** Applies what can be applied; returns the configuration that now holds. */
const applyConfig = (before: Config, after: Config, plugins: LivePlugins, log: Logger): Config => {
  const { now, atRestart } = changedSections(before, after);
  const { watch, jobs, log: logging, plugins: folder } = after;
  const config = { ...before, watch: { ...watch, enabled: before.watch.enabled }, jobs, log: logging, plugins: folder };
  plugins.configure(config);
  log.level = logging.level;
  if (atRestart.length > 0)
    log.warn({ sections: atRestart }, 'these sections have changed and take effect at the next restart');
  log.info({ sections: now }, 'configuration reloaded');
  return config;
};
