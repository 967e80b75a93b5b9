import { spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withOrdinaryScore } from '../adapters/system/inherited.ts';

/** The reading end of one stream of a job, and the file descriptor that the job gets for writing. */
export interface Pipe {
  readonly writeFd: number;
  readonly reader: Socket;
  /** Called when the job is over. A pipe that somebody still holds is not used again, and gets a reader of its own. */
  release(isEnded: boolean): void;
}

/**
 * Real pipes for stdout and stderr. Node's `stdio: 'pipe'` gives the child a socket, and a socket cannot be opened by
 * name: `echo oops > /dev/stderr` fails with ENXIO in every script. Node has no pipe(2), so a FIFO is made once, its name
 * removed, and both ends of each job's turn are opened anew through `/proc/self/fd`.
 */
export const createPipes = () => {
  const idle: number[] = [];
  return (): Pipe => {
    if (idle.length === 0) idle.push(...makeFifos(2));
    const fifo = idle.at(-1) ?? -1;
    const [readFd, writeFd] = bothEnds(fifo);
    idle.pop();
    const reader = new Socket({ fd: readFd, readable: true, writable: false });
    const release = (isEnded: boolean): void => {
      if (!isEnded) drainFor(fifo);
      reader.destroy();
      if (isEnded) idle.push(fifo);
      else closeSync(fifo);
    };
    return { writeFd, reader, release };
  };
};

const reopen = (fifo: number, flags: number): number => openSync(`/proc/self/fd/${fifo}`, flags);

const bothEnds = (fifo: number): [number, number] => {
  const readFd = reopen(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return [readFd, reopen(fifo, constants.O_WRONLY)];
  } catch (thrown) {
    closeSync(readFd);
    throw thrown;
  }
};

/**
 * A daemon that the job left behind may write for years, and without a reader it would die of SIGPIPE. A process that
 * reads and throws away lives as long as there is a writer, and needs neither us nor the job's folder. Where none can be
 * started, the daemon is on its own.
 */
const drainFor = (fifo: number): void => {
  const opened: number[] = [];
  try {
    // The first one is for a moment: opening a FIFO to read without O_NONBLOCK waits for a writer.
    opened.push(reopen(fifo, constants.O_WRONLY | constants.O_NONBLOCK));
    const reader = reopen(fifo, constants.O_RDONLY);
    opened.push(reader);
    const start = () =>
      spawn('/bin/cat', [], { cwd: '/', env: {}, detached: true, stdio: [reader, 'ignore', 'ignore'] });
    withOrdinaryScore(start)
      .on('error', () => undefined)
      .unref();
  } catch {
    // Short of descriptors.
  } finally {
    opened.forEach(closeSync);
  }
};

/** Read ends of `count` new FIFOs without a name. */
const makeFifos = (count: number): number[] => {
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-'));
  try {
    const names = Array.from({ length: count }, (_, index) => join(folder, String(index)));
    const { status, error } = spawnSync('mkfifo', ['-m', '600', ...names], { stdio: 'ignore' });
    if (status !== 0) throw error ?? new Error(`mkfifo ended with ${status}`);
    return openAll(names);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const openAll = (names: readonly string[]): number[] => {
  const opened: number[] = [];
  try {
    for (const name of names) opened.push(openSync(name, constants.O_RDONLY | constants.O_NONBLOCK));
    return opened;
  } catch (thrown) {
    opened.forEach(closeSync);
    throw thrown;
  }
};
