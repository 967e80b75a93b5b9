/** Entry of `bin/triggerfs-worker`: a daemon that is one worker and nothing else. */

import { join, resolve } from 'node:path';
import { isatty } from 'node:tty';
import { CommanderError } from 'commander';
import type { Logger } from 'pino';
import { createLog } from '../adapters/log/log.ts';
import { logProcessWarnings } from '../adapters/log/process-warnings.ts';
import { createTriggerfsLog } from '../adapters/log/triggerfs-log.ts';
import { createNotifier, type Notifier } from '../adapters/systemd/notify.ts';
import { triggerfsWorkerCommand, type WorkerFlags } from '../cli/command-lines/triggerfs-worker.ts';
import { exposureWarnings } from '../cli/support/config-warnings.ts';
import { beginDaemon, nodeNameOf } from '../cli/support/daemon-process.ts';
import { loadTriggerfsConfig } from '../cli/support/load-config.ts';
import { workerPaths } from '../cli/support/own-paths.ts';
import { commandLineError, exitCodeOfError, renderError } from '../cli/support/report-error.ts';
import { readFlags } from '../cli/support/triggerfs-command.ts';
import { packageVersion } from '../cli/support/version.ts';
import { watchTerminal } from '../cli/support/watch-reader.ts';
import type { LoadedConfig } from '../config/config.ts';
import { type ConfiguredWorker, chooseWorker } from '../config/workers.ts';
import { startWorkerDaemon, type WorkerDaemon } from '../daemon/worker-daemon.ts';

const installRoot = join(import.meta.dirname, '../..');

const main = async (): Promise<void> => {
  // Asked first: a terminal that is closed while the worker starts is none afterwards.
  const hasTerminal = isatty(2);
  beginDaemon();
  const flags = readFlags<WorkerFlags>(triggerfsWorkerCommand(), process.argv.slice(2));
  const { worker, loaded } = loadFor(flags);
  const node = await nodeNameOf(loaded);
  const log = logFor(flags, loaded, node);
  logProcessWarnings(log);
  const notify = createNotifier(process.env, (problem) => log.warn({}, problem));
  for (const warning of exposureWarnings(loaded)) log.warn({}, warning);

  const daemon = await startWorkerDaemon({ loaded, node, version: packageVersion(), installRoot, log, worker });
  handleSignals(daemon, log, notify, hasTerminal);
  await notify('--ready');
};

/** The configuration twice: which worker is meant is in it, and where that worker keeps its jobs depends on it. */
const loadFor = (flags: WorkerFlags): { readonly worker: ConfiguredWorker; readonly loaded: LoadedConfig } => {
  const { env } = process;
  const first = loadTriggerfsConfig({ file: flags.config, env });
  const worker = chooseWorker(first, flags);
  const places = workerPaths(first, worker, flags.socket, env);
  const { pluginspath } = first.config.workers;
  const overrides = {
    'node.state_dir': places.state_dir,
    'node.socket': places.socket,
    'plugins.path': pluginspath === undefined ? undefined : resolve(pluginspath),
  };
  return { worker, loaded: loadTriggerfsConfig({ file: flags.config, env, overrides }) };
};

const logFor = ({ debug = false }: WorkerFlags, { config }: LoadedConfig, node: string): Logger => {
  const level = debug ? 'debug' : config.log.level;
  return config.log.format === 'json'
    ? createLog({ level, format: 'json', node, isTerminal: false })
    : createTriggerfsLog(level);
};

const handleSignals = (daemon: WorkerDaemon, log: Logger, notify: Notifier, hasTerminal: boolean): void => {
  let isStopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (isStopping) return daemon.hurry();
    isStopping = true;
    log.info({}, `Stopping: ${signal}`);
    void notify('STOPPING=1');
    await daemon.stop();
    log.info({}, 'Stopped');
    process.exit(0);
  };
  // There is nothing to reload; a terminal that is closed says SIGHUP.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop(signal));
  // Not everybody who uses a terminal is told that it is closed.
  if (hasTerminal) watchTerminal(2, () => void (isStopping || stop('SIGHUP')));
  const crash = (error: unknown): void => {
    log.fatal({ error }, 'A bug in triggerfs-worker; ending');
    process.exit(1);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
};

try {
  await main();
} catch (thrown) {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) process.exit(0);
  const error = commandLineError(thrown);
  process.stderr.write(renderError(error, false, 'triggerfs-worker'));
  process.exit(exitCodeOfError(error));
}
