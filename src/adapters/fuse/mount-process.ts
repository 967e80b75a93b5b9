import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import type { Log } from '../../kit/log.ts';
import { withTimeout } from '../../kit/with-timeout.ts';
import type { LogOptions } from '../log/log.ts';
import { isSandboxed, pipedUnitCommand, stopUnit } from '../process/own-unit.ts';

export interface MountSettings {
  /** Absolute. */
  readonly mountpoint: string;
  readonly allowOther: boolean;
  readonly log: LogOptions;
}

export interface MountProcess {
  readonly pid: number | undefined;
  /** The way to it; ends with it. */
  readonly stream: Duplex;
  /** Resolves with words for the log when the process has ended. */
  readonly ended: Promise<string>;
  /** Unmounts: TERM, and KILL when that takes too long. */
  end(): Promise<void>;
}

const termGraceMs = 5_000;

/** Starts the process of a mount; it unmounts and ends when we do, however that happens. */
export const startMountProcess = (program: string, settings: MountSettings, log: Log): MountProcess => {
  const unit = isSandboxed() ? `triggerd-mount-${randomBytes(12).toString('hex')}` : undefined;
  const [command, ...args] = unit === undefined ? direct(program, settings) : inUnit(unit, program, settings);
  const child = spawn(command, args, {
    // Not in a folder that somebody wants to unmount.
    cwd: '/',
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    env: environment(),
  });
  const stream = child.stdio[3] as Duplex;
  stream.on('error', (error) => log.debug({ error }, 'Lost the connection to the mount'));
  const ended = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('exit', (code, signal) => resolve(signal ? `killed by ${signal}` : `exit code ${code}`));
  });
  const end = (): Promise<void> => (unit === undefined ? endChild(child, ended) : stopUnit(unit, ended, termGraceMs));
  return { pid: child.pid, stream, ended, end };
};

const environment = () => ({ PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin' });

type Command = [string, ...string[]];

const direct = (program: string, settings: MountSettings): Command => [
  ...intoEverybodys(),
  process.execPath,
  program,
  JSON.stringify(settings),
];

/** Where something else than systemd gave this process its own view of mounts: root may start the mount where process 1 is. */
const intoEverybodys = (): [] | Command => {
  const everybodys = '/proc/1/ns/mnt';
  try {
    if (readlinkSync(everybodys) === readlinkSync('/proc/self/ns/mnt')) return [];
    return ['nsenter', `--mount=${everybodys}`, '--'];
  } catch {
    // Not for others than root to see, and theirs to enter even less.
    return [];
  }
};

/**
 * systemd's sandbox gives a service its own view of mounts, and what is mounted in there nobody else sees; nor may it mount. A unit
 * gets the first three descriptors only, so the way to us comes as its standard input, and a shell makes it number 3 again.
 */
const inUnit = (name: string, program: string, settings: MountSettings): Command => {
  const words = [process.execPath, program, JSON.stringify(settings)].map(quoted).join(' ');
  const unit = {
    name,
    description: `Trigger files at ${settings.mountpoint}`,
    properties: ['TimeoutStopSec=10s'],
  };
  const run = pipedUnitCommand(['/bin/sh', '-c', `exec ${words} 3<&0 0</dev/null`], environment(), unit);
  return ['/bin/sh', '-c', 'exec "$@" 0<&3 3<&-', 'sh', ...run];
};

/** For a shell. */
const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

const endChild = async (child: ChildProcess, ended: Promise<string>): Promise<void> => {
  child.kill('SIGTERM');
  const isOver = await withTimeout(
    ended.then(() => true),
    termGraceMs,
    () => false,
  );
  if (!isOver) child.kill('SIGKILL');
  await ended;
};
