import { spawn } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { embeddedQuotaBytes } from '../../store/space.ts';
import { bootId, identityOf, isAlive, type ProcessIdentity } from '../process/process-identity.ts';
import type { EmbeddedTls } from './embedded-tls.ts';

const maxLogBytes = 4 * 1024 * 1024;
const logTailBytes = 2_000;
const termGraceMs = 5_000;
const pollMs = 20;

export interface EtcdPaths {
  readonly data: string;
  readonly log: string;
  /** Which process runs on the data, so that the next daemon finds what a dead one has left. */
  readonly identity: string;
}

export const etcdPathsIn = (folder: string): EtcdPaths => ({
  data: join(folder, 'data'),
  log: join(folder, 'etcd.log'),
  identity: join(folder, 'etcd.pid'),
});

export interface EtcdProcess {
  readonly identity: ProcessIdentity;
  /** Resolves with words for the log when the process has ended. */
  readonly ended: Promise<string>;
}

/**
 * Starts etcd in a session of its own: Ctrl-C at the terminal reaches the daemon, which still has outcomes to write. It
 * therefore survives a daemon that is killed; `endLeftOver` finds it. Undefined when it could not even be started.
 */
export const spawnEtcd = (
  binary: string,
  port: number,
  paths: EtcdPaths,
  tls: EmbeddedTls,
  quotaBytes: number = embeddedQuotaBytes,
): EtcdProcess | undefined => {
  rotate(paths.log);
  const log = openSync(paths.log, 'a', 0o600);
  try {
    const child = spawn(binary, argumentsFor(port, paths.data, tls, quotaBytes), {
      // Not in a folder that somebody wants to unmount.
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
      env: environment(),
    });
    const ended = new Promise<string>((resolve) => {
      child.once('error', ({ message }) => resolve(message));
      child.once('exit', (code, signal) => resolve(signal ? `killed by ${signal}` : `exit code ${code}`));
    });
    if (child.pid === undefined) return undefined;
    const identity = identityOf(child.pid) ?? { bootId: bootId(), pid: child.pid, startTime: 'ended at once' };
    writeFileSync(paths.identity, JSON.stringify(identity), { mode: 0o600 });
    return { identity, ended };
  } finally {
    closeSync(log);
  }
};

/** TERM, then KILL after a grace period; resolves when it is gone. */
export const endProcess = async (identity: ProcessIdentity): Promise<void> => {
  signal(identity, 'SIGTERM');
  const killAt = performance.now() + termGraceMs;
  while (isAlive(identity)) {
    if (performance.now() > killAt) signal(identity, 'SIGKILL');
    await sleep(pollMs);
  }
};

/** Ends the etcd of a daemon that died without ending it. Returns whether there was one. */
export const endLeftOver = async (paths: EtcdPaths): Promise<boolean> => {
  const identity = readIdentity(paths.identity);
  if (identity === undefined || !isAlive(identity)) return false;
  await endProcess(identity);
  return true;
};

export const forgetProcess = (paths: EtcdPaths): void => rmSync(paths.identity, { force: true });

/** The end of etcd's log, for the message that says why it did not start. */
export const logTail = (paths: EtcdPaths): string => {
  try {
    return tailOf(paths.log, logTailBytes).toString('utf8').trim();
  } catch {
    return '';
  }
};

const tailOf = (file: string, bytes: number): Buffer => {
  const opened = openSync(file, 'r');
  try {
    const length = Math.min(bytes, fstatSync(opened).size);
    const tail = Buffer.alloc(length);
    return tail.subarray(0, readSync(opened, tail, 0, length, fstatSync(opened).size - length));
  } finally {
    closeSync(opened);
  }
};

/**
 * One member that only this machine can reach, and only with our certificate: the loopback address keeps no local user
 * out. The same holds for the peer port, which is any free one because nobody needs it.
 */
const argumentsFor = (port: number, data: string, tls: EmbeddedTls, quotaBytes: number): string[] => {
  const client = `https://127.0.0.1:${port}`;
  const peer = 'https://127.0.0.1:0';
  return [
    ...['--name', 'triggerd', '--data-dir', data],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--cert-file', tls.server, '--key-file', tls.server, '--trusted-ca-file', tls.ca, '--client-cert-auth'],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `triggerd=${peer}`],
    ...['--peer-cert-file', tls.server, '--peer-key-file', tls.server],
    ...['--peer-trusted-ca-file', tls.ca, '--peer-client-cert-auth'],
    ...['--auto-compaction-mode', 'periodic', '--auto-compaction-retention', '1h'],
    ...['--quota-backend-bytes', String(quotaBytes)],
    ...['--logger', 'zap', '--log-outputs', 'stderr', '--log-level', 'warn'],
  ];
};

/** Nothing of ours: etcd takes options from `ETCD_*`. On other processors than amd64 etcd wants to be told that it may. */
const environment = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
  ...(process.arch === 'x64' ? {} : { ETCD_UNSUPPORTED_ARCH: process.arch }),
});

const sizeOf = (log: string): number => statSync(log, { throwIfNoEntry: false })?.size ?? 0;

const rotate = (log: string): void => {
  if (sizeOf(log) > maxLogBytes) renameSync(log, `${log}.1`);
};

/**
 * Cuts the log of a running etcd, which keeps its file open. Each connection that etcd refuses is a line there, and any
 * local user can make connections.
 */
export const trimLog = ({ log }: EtcdPaths, maxBytes = maxLogBytes): void => {
  if (sizeOf(log) <= maxBytes) return;
  writeFileSync(`${log}.1`, tailOf(log, maxBytes), { mode: 0o600 });
  truncateSync(log);
};

const readIdentity = (file: string): ProcessIdentity | undefined => {
  try {
    const { bootId, pid, startTime } = JSON.parse(readFileSync(file, 'utf8')) as Partial<ProcessIdentity>;
    if (typeof bootId !== 'string' || typeof startTime !== 'string' || !Number.isInteger(pid)) return undefined;
    return { bootId, pid: pid as number, startTime };
  } catch {
    return undefined;
  }
};

const signal = (identity: ProcessIdentity, name: 'SIGTERM' | 'SIGKILL'): void => {
  try {
    if (isAlive(identity)) process.kill(identity.pid, name);
  } catch {
    // Gone in between.
  }
};
