import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';

/** Between two looks at a terminal. ms. */
const lookEveryMs = 1_000;

/**
 * Tells when nobody can read our stdout any more, also while nothing is written, once; keeps the process from nothing. Returns how
 * to stop. A file has no reader. One that is a socket (`ssh` without a terminal, a program written for Node.js) is not
 * watched: it fails when something is written.
 */
export const watchReader = (onGone: (what: 'reader' | 'terminal') => void): (() => void) => {
  // As it was at the start: by now it may be closed.
  if (process.stdout.isTTY === true) return watchTerminal(1, () => onGone('terminal'));
  return isPipe() ? watchPipe(() => onGone('reader')) : () => undefined;
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

const isPipe = (): boolean => {
  try {
    return fstatSync(1).isFIFO();
  } catch {
    return false;
  }
};
