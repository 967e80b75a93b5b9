import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '../../spec/support/wait.ts';
import type { Bench } from './bench.ts';

const run = promisify(execFile);
const timeout = 60_000;

/** A task-spooler of the benchmark's own: socket and outputs are in its folder. */
export interface TaskSpooler {
  readonly env: NodeJS.ProcessEnv;
  /** Many client calls, from a shell: starting them from here would cost more than they do. */
  addMany(count: number, ...command: string[]): Promise<void>;
  /** Waits until the last job that was added has ended. */
  waitForLast(): Promise<void>;
  /** Adds a job that takes the slot until the function that is returned is called. */
  block(): Promise<() => void>;
  /** Forgets the jobs that have ended. */
  forget(): Promise<void>;
}

/** Every queued job is a connected client, and beyond so many task-spooler lets the next one wait. */
export const mostQueued = 900;

export const startTaskSpooler = async (bench: Bench): Promise<TaskSpooler> => {
  const dir = join(bench.dir, 'tsp');
  const socket = join(dir, 'socket');
  mkdirSync(dir);
  const env = { PATH: process.env['PATH'], TS_SOCKET: socket, TMPDIR: dir };
  const call = async (...args: string[]): Promise<void> => void (await run('tsp', args, { env, timeout }));
  await call('-S', '1');
  bench.onEnd(async () => {
    spawnSync('tsp', ['-K'], { env, timeout: 5_000 });
    await until(() => !existsSync(socket), 'task-spooler to end');
  });
  return {
    env,
    addMany: async (count, ...command) => {
      const loop = 'n=$1; shift; while [ "$n" -gt 0 ]; do tsp "$@" >/dev/null; n=$((n - 1)); done';
      await run('sh', ['-c', loop, 'sh', String(count), ...command], { env, timeout });
    },
    waitForLast: () => call('-w'),
    block: async () => {
      const gate = join(dir, `gate-${Math.random()}`);
      const open = (): void => writeFileSync(gate, '');
      bench.onEnd(open);
      await call('-n', 'sh', '-c', `until [ -e '${gate}' ]; do sleep 0.01; done`);
      return open;
    },
    forget: () => call('-C'),
  };
};
