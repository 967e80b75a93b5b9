import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { logProcessWarnings } from '../../adapters/log/process-warnings.ts';
import { createTriggerfsLog, triggerfsTime } from '../../adapters/log/triggerfs-log.ts';
import type { LoadedConfig } from '../../config/config.ts';
import type { Config } from '../../config/schema.ts';
import { type FilesDaemonOptions, startFilesDaemon } from '../../daemon/mount/files-daemon.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { visible } from '../../kit/text.ts';
import type { TriggerOutput } from '../../mount/delivery-ports.ts';
import type { Definition } from '../../registry/model.ts';
import { type LogCopy, openLogCopyLater } from '../request/log-copy.ts';
import { exposureWarnings } from '../support/config-warnings.ts';
import { stateHome } from '../support/own-paths.ts';
import { packageVersion } from '../support/version.ts';
import { say as sayToUser } from './background.ts';

export interface ServedFiles {
  /** Resolves when somebody has unmounted it. */
  readonly unmounted: Promise<void>;
  /** Goes on in a new log file, after somebody has moved the old one away. */
  reopenLog(): void;
  /** Unmounts. */
  stop(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

const rule = '*'.repeat(82);
const installRoot = join(import.meta.dirname, '../../..');

/**
 * Mounts the trigger files and tells so in triggerFS' words. Resolves when they are mounted. Throws `config-invalid`,
 * `login-failed`, `mount-failed` and what else keeps that from happening; a broker that is away does not.
 */
export const serveFiles = async (
  loaded: LoadedConfig,
  {
    isBackground,
    deadLetters,
    env,
  }: Pick<FilesDaemonOptions, 'deadLetters'> & {
    readonly isBackground: boolean;
    readonly env: Environment;
  },
): Promise<ServedFiles> => {
  const { config } = loaded;
  const given = config.triggerfs.mountpoint;
  if (given === undefined) throw new TriggerdError('config-invalid', '[triggerfs] mountpoint is missing');
  const { logfile } = config.triggerfs;
  const { copy, problem } = openLogCopyLater(logfile, '[triggerfs] logfile');
  const told = createFilesLog(config.log.level, copy);
  logProcessWarnings(told.log);
  greet(told, config);
  // Whoever writes to trigger files must not wait for a folder of logs.
  if (problem !== undefined) told.log.warn({}, `${problem}; create its folder and send SIGHUP`);
  for (const warning of exposureWarnings(loaded)) told.log.warn({}, warning);
  let onUnmounted = (): void => undefined;
  const unmounted = new Promise<void>((resolve) => {
    onUnmounted = resolve;
  });
  const daemon = await startFilesDaemon({
    onUnmounted: () => onUnmounted(),
    config,
    deadLetters,
    mountpoint: resolve(given),
    stateDir: stateDirOf(env, config.main.team ?? '', resolve(given)),
    installRoot,
    onOutput: told.output,
    log: told.log,
  });
  try {
    // Looked at below; whichever fails first must not end us before.
    daemon.mounted.catch(() => undefined);
    await logIn(told, daemon.loggedIn);
    await daemon.mounted;
  } catch (error) {
    await daemon.stop();
    throw error;
  }
  told.say('');
  told.say('Started triggerfs.');
  told.say(`Serving filesystem in ${given}`);
  if (logfile !== undefined && problem === undefined) told.say(`Log file is ${logfile}`);
  told.say(`Ready and running in ${isBackground ? 'background' : 'foreground'}...`);
  return {
    unmounted,
    reopenLog: () => {
      const why = copy.reopen();
      if (why === undefined) told.say('Log file reopened.');
      else told.log.warn({}, `${why}; the log continues in the old file`);
    },
    stop: async () => {
      await daemon.stop();
      told.say('Unmounted.');
    },
  };
};

const greet = (told: FilesLog, { main }: Config): void => {
  told.banner(`triggerfs (v${packageVersion()})\n\n${rule}`);
  told.banner('*** Welcome to triggerFS. A realtime messaging and distributed trigger system. ***');
  told.banner(`${rule}\n`);
  told.say('=== triggerfs module started ===');
  told.say(
    main.jwt === undefined
      ? 'No JWT provided. Authenticating with login credentials in config.'
      : 'Authenticating with the JWT in config.',
  );
};

const logIn = async (told: FilesLog, loggedIn: Promise<void>): Promise<void> => {
  try {
    await loggedIn;
    told.say('Successful login.');
  } catch (error) {
    if (!(error instanceof TriggerdError) || !error.retryable) throw error;
    told.say(`Not logged in: ${error.message}. Retrying; messages wait.`);
  }
};

/** One per mount: two of them at different places do not share what waits. */
const stateDirOf = (env: Environment, team: string, mountpoint: string): string => {
  const place = createHash('sha256').update(mountpoint).digest('hex').slice(0, 12);
  return join(stateHome(env), 'triggerd', 'triggerfs', `${team}.${place}`);
};

/** What `triggerfs` says: to the terminal, and to its log file. */
interface FilesLog {
  /** A line with its time in front; an empty one is a blank line. */
  say(text: string): void;
  /** Without a time. */
  banner(text: string): void;
  /** What came back from a trigger, as `triggerfs-client` shows it. */
  output(definition: Definition, output: TriggerOutput): void;
  readonly log: Logger;
}

const createFilesLog = (level: string, copy: LogCopy): FilesLog => {
  const write = (text: string): void => {
    sayToUser(text);
    copy.write(text);
  };
  const say = (text: string): void => write(text === '' ? '\n' : `${triggerfsTime(new Date())} ${visible(text)}\n`);
  return {
    say,
    banner: (text) => write(`${text}\n`),
    output: ({ name, plugin, service }, { worker, result, exitCode, reason, output }) => {
      const from = `[${plugin}@${worker ?? service}]`;
      for (const line of linesOf(output)) say(`${name}: ${from} ${line}`);
      if (result !== 'succeeded')
        say(`${name}: ${from} ${[result, exitCode, reason].filter((part) => part !== null).join(' ')}`);
    },
    log: createTriggerfsLog(level, write),
  };
};

const linesOf = (output: Buffer): string[] => {
  const lines = output.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
};
