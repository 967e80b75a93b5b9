import { type ChildProcess, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../domain/log.ts';
import type { LogOptions } from '../log/log.ts';

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
  /** Resolves with words for the log when the process is over. */
  readonly ended: Promise<string>;
  /** Unmounts: TERM, and KILL when that takes too long. */
  end(): Promise<void>;
}

const termGraceMs = 5_000;

/** Starts the process of a mount; it unmounts and ends when we do, however that happens. */
export const startMountProcess = (program: string, settings: MountSettings, log: Log): MountProcess => {
  const [command, ...args] = [...outOfSandbox(), process.execPath, program, JSON.stringify(settings)];
  const child = spawn(command, args, {
    // Not in a folder that somebody wants to unmount.
    cwd: '/',
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
  const stream = child.stdio[3] as Duplex;
  stream.on('error', (error) => log.debug({ error }, 'the way to the mount is broken'));
  const ended = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('exit', (code, signal) => resolve(signal ? `killed by ${signal}` : `exit code ${code}`));
  });
  return { pid: child.pid, stream, ended, end: () => endChild(child, ended) };
};

/**
 * systemd's sandbox (`ProtectSystem`, `PrivateTmp`) gives a service its own view of mounts, and what is mounted in there nobody
 * else sees. Root may start the mount where process 1 is.
 */
const outOfSandbox = (): [] | [string, ...string[]] => {
  const everybodys = '/proc/1/ns/mnt';
  try {
    if (readlinkSync(everybodys) === readlinkSync('/proc/self/ns/mnt')) return [];
    return ['nsenter', `--mount=${everybodys}`, '--'];
  } catch {
    // Not for others than root to see, and theirs to enter even less.
    return [];
  }
};

const endChild = async (child: ChildProcess, ended: Promise<string>): Promise<void> => {
  child.kill('SIGTERM');
  const isOver = await Promise.race([ended.then(() => true), sleep(termGraceMs, false, { ref: false })]);
  if (!isOver) child.kill('SIGKILL');
  await ended;
};
