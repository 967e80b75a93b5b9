import { spawn } from 'node:child_process';
import { fstatSync, type Stats, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { isatty } from 'node:tty';

/** Between two looks at a terminal, or a socket. ms. */
const lookEveryMs = 1_000;

/**
 * Tells when nobody can read our stdout any more, also while nothing is written, once; keeps the process from nothing. Returns how
 * to stop. A file has no reader.
 */
export const watchReader = (onGone: (what: 'reader' | 'terminal') => void): (() => void) => {
  // As it was at the start: by now it may be closed.
  if (process.stdout.isTTY === true) return watchTerminal(1, () => onGone('terminal'));
  const stats = statsOfStdout();
  if (stats?.isFIFO()) return watchPipe(() => onGone('reader'));
  // Node.js makes this of streams only: to a socket of datagrams an empty write would be a message.
  const isStream = stats?.isSocket() && process.stdout instanceof Socket;
  return isStream ? watchSocket(() => onGone('reader')) : () => undefined;
};

/** Tells when the terminal `fd` was closed: it is none any more. Not all who use a terminal get its SIGHUP. */
export const watchTerminal = (fd: number, onGone: () => void): (() => void) => {
  const timer = setInterval(() => {
    if (isatty(fd)) return;
    clearInterval(timer);
    onGone();
  }, lookEveryMs).unref();
  return () => clearInterval(timer);
};

/**
 * Node.js can't wait for a pipe to lose its reader. `tail -f` does (since coreutils 8.28), and ends by SIGPIPE then; one that
 * can't do that ends otherwise, or never. It outlives us by one of its looks at most.
 */
const watchPipe = (onGone: () => void): (() => void) => {
  const tail = spawn('tail', ['-f', `--pid=${process.pid}`, '/dev/null'], {
    stdio: ['ignore', 'inherit', 'ignore'],
    env: { PATH: process.env['PATH'] },
  });
  const kill = (): void => void tail.kill('SIGKILL');
  tail.unref();
  tail.once('error', () => undefined);
  tail.once('exit', (_code, signal) => {
    process.off('exit', kill);
    if (signal === 'SIGPIPE') onGone();
  });
  // Whoever reads the pipe waits for the last one who could write to it.
  process.once('exit', kill);
  return kill;
};

/**
 * An empty write sends nothing, takes nothing from whoever reads the same socket, and fails once it is closed. Whoever has only
 * ended its own half still reads: `ssh host COMMAND < /dev/null` does that. A TCP peer that closes says no more than that
 * until it is sent something.
 */
const watchSocket = (onGone: () => void): (() => void) => {
  const timer = setInterval(() => {
    if (canWrite()) return;
    clearInterval(timer);
    onGone();
  }, lookEveryMs).unref();
  return () => clearInterval(timer);
};

const canWrite = (): boolean => {
  try {
    writeSync(1, nothing);
    return true;
  } catch (error) {
    return !gone.has((error as NodeJS.ErrnoException).code ?? '');
  }
};

const nothing = Buffer.alloc(0);
const gone: ReadonlySet<string> = new Set(['EPIPE', 'ECONNRESET', 'ETIMEDOUT', 'ENOTCONN']);

const statsOfStdout = (): Stats | undefined => {
  try {
    return fstatSync(1);
  } catch {
    return undefined;
  }
};
