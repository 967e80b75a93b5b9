import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The reading end of one stream of a job, and the file descriptor that the job gets for writing. */
export interface Pipe {
  readonly writeFd: number;
  readonly reader: Socket;
  /** Called when the job is over: a pipe that somebody still holds is not used again. */
  release(isEnded: boolean): void;
}

/**
 * Real pipes for stdout and stderr. Node's `stdio: 'pipe'` gives the child a socket, and a socket can not be opened by
 * name: `echo oops > /dev/stderr` fails with ENXIO in every script. Node has no pipe(2), so a FIFO is made once, its name
 * removed, and both ends of each job's turn are opened anew through `/proc/self/fd`.
 */
export const createPipes = () => {
  const idle: number[] = [];
  return (): Pipe => {
    if (idle.length === 0) idle.push(...makeFifos(2));
    const fifo = idle.pop() ?? -1;
    const name = `/proc/self/fd/${fifo}`;
    const readFd = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
    const writeFd = openSync(name, constants.O_WRONLY);
    const reader = new Socket({ fd: readFd, readable: true, writable: false });
    const release = (isEnded: boolean): void => {
      reader.destroy();
      if (isEnded) idle.push(fifo);
      else closeSync(fifo);
    };
    return { writeFd, reader, release };
  };
};

/** Read ends of `count` new FIFOs without a name. */
const makeFifos = (count: number): number[] => {
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-'));
  try {
    const names = Array.from({ length: count }, (_, index) => join(folder, String(index)));
    const { status, error } = spawnSync('mkfifo', ['-m', '600', ...names], { stdio: 'ignore' });
    if (status !== 0) throw error ?? new Error(`mkfifo ended with ${status}`);
    return names.map((name) => openSync(name, constants.O_RDONLY | constants.O_NONBLOCK));
  } finally {
    rmSync(folder, { recursive: true });
  }
};
