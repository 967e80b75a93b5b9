/** Entry of `bin/triggerd`: loads the configuration, starts the daemon, and turns signals into its verbs. */
import { join } from 'node:path';
import { isatty } from 'node:tty';
import { CommanderError } from 'commander';
import type { Logger } from 'pino';
import { hasLostThreads } from '../adapters/files/patience.ts';
import { createLog } from '../adapters/log/log.ts';
import { logProcessWarnings } from '../adapters/log/process-warnings.ts';
import { createNotifier, type Notifier } from '../adapters/systemd/notify.ts';
import { triggerdCommand } from '../cli/command-lines/triggerd.ts';
import { exposureWarnings } from '../cli/support/config-warnings.ts';
import { beginDaemon, nodeNameOf } from '../cli/support/daemon-process.ts';
import { loadConfig, loadUserConfig } from '../cli/support/load-config.ts';
import { exitCodeOfError, renderError } from '../cli/support/report-error.ts';
import { packageVersion } from '../cli/support/version.ts';
import { watchTerminal } from '../cli/support/watch-reader.ts';
import type { LoadedConfig } from '../config/config.ts';
import type { DaemonOptions } from '../daemon/compose/runtime.ts';
import { type Daemon, startDaemon } from '../daemon/daemon.ts';
import { asTriggerdError } from '../domain/errors.ts';

interface Flags {
  readonly config?: string;
  readonly socket?: string;
  readonly user?: boolean;
}

const installRoot = join(import.meta.dirname, '../..');

const main = async (): Promise<void> => {
  // Asked first: a terminal that is closed while the daemon starts is none afterwards.
  const hasTerminal = isatty(2);
  beginDaemon();
  const flags = readFlags();
  const request = { file: flags.config, env: process.env, overrides: { 'node.socket': flags.socket } };
  const load = (): LoadedConfig => (flags.user === true ? loadUserConfig(request) : loadConfig(request));
  const loaded = load();
  const node = await nodeNameOf(loaded);
  const log = createLog({ ...loaded.config.log, node, isTerminal: process.stderr.isTTY });
  logProcessWarnings(log);
  const notify = createNotifier(process.env, (problem) => log.warn({}, problem));
  const version = packageVersion();
  for (const warning of exposureWarnings(loaded)) log.warn({}, warning);

  const options = { loaded, node, version, installRoot, log };
  const daemon = await (flags.user === true ? startUserDaemon(options) : startDaemon(options));
  handleSignals(daemon, { load, log, notify, hasTerminal });
  await daemon.ready;
  log.info({ version, pid: process.pid, socket: loaded.config.node.socket, config: loaded.file }, 'Ready');
  await notify('--ready');
};

/** The queue of one user. Its code is loaded where it is asked for. */
const startUserDaemon = async (options: DaemonOptions): Promise<Daemon> => {
  const { startWorkerDaemon } = await import('../daemon/worker-daemon.ts');
  const daemon = await startWorkerDaemon({ ...options, worker: undefined });
  const reload = (): void => options.log.warn({}, 'A changed configuration takes effect at the next start');
  return { ...daemon, ready: Promise.resolve(), reload };
};

const readFlags = (): Flags => triggerdCommand().version(packageVersion()).exitOverride().parse().opts<Flags>();

interface Signalled {
  readonly load: () => LoadedConfig;
  readonly log: Logger;
  readonly notify: Notifier;
  readonly hasTerminal: boolean;
}

const handleSignals = (daemon: Daemon, { load, log, notify, hasTerminal }: Signalled): void => {
  let isStopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (isStopping) return daemon.hurry();
    isStopping = true;
    log.info({ signal }, 'Stopping; running jobs continue');
    void notify('STOPPING=1');
    await daemon.stop();
    log.info({}, 'Stopped');
    exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
  process.on('SIGHUP', () => reload(daemon, load, log));
  // Whoever closes a terminal sends the same signal as whoever wants a reload.
  if (hasTerminal) watchTerminal(2, () => void (isStopping || stop('SIGHUP')));
  const crash = (error: unknown): void => {
    log.fatal({ error }, 'A bug in triggerd; ending for a restart');
    exit(1);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
};

/** Node waits at its end for threads that wait for a file that does not answer: then nothing but KILL ends it. */
const exit = (code: number): never => {
  if (hasLostThreads()) process.kill(process.pid, 'SIGKILL');
  process.exit(code);
};

/** A configuration that is wrong changes nothing. */
const reload = (daemon: Daemon, load: () => LoadedConfig, log: Logger): void => {
  try {
    const loaded = load();
    for (const warning of exposureWarnings(loaded)) log.warn({}, warning);
    daemon.reload(loaded);
  } catch (error) {
    log.error({ error }, 'The new configuration is not valid; the old one stays in force');
  }
};

try {
  await main();
} catch (thrown) {
  if (thrown instanceof CommanderError) process.exit(thrown.exitCode === 0 ? 0 : 2);
  const error = asTriggerdError(thrown);
  process.stderr.write(renderError(error, false, 'triggerd'));
  process.exit(exitCodeOfError(error));
}
