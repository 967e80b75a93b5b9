import { execa } from 'execa';
import { onLines } from '../../kit/lines.ts';
import { basePath } from '../system/base-env.ts';
import { givenOpenFiles, openFilesOption } from '../system/inherited.ts';
import { awaitExit } from './adoption.ts';
import type { Answer, Order } from './job-files.ts';
import type { Launcher } from './launcher.ts';
import { assertCanSpawn } from './shortage.ts';

export interface WarmRunnersOptions {
  /** Program and arguments of the runner, e.g. `[process.execPath, '…/programs/runner.js']`. */
  readonly command: readonly [string, ...string[]];
  /** How long a runner without a job is kept. */
  readonly idleMs: number;
}

/** Where no systemd runs: runner processes in sessions of their own, started on demand and used again. */
export const createWarmRunners = ({ command, idleMs }: WarmRunnersOptions): Launcher => {
  const idle: WarmRunner[] = [];
  let isClosed = false;

  const retire = (runner: WarmRunner): void => {
    const index = idle.indexOf(runner);
    if (index >= 0) idle.splice(index, 1);
    runner.end();
  };
  const keep = (runner: WarmRunner): void => {
    idle.push(runner);
    if (isClosed) retire(runner);
    else runner.retireAfter(idleMs, () => retire(runner));
  };
  return {
    launch: async (order) => {
      const runner = idle.pop() ?? startRunner(command);
      const answer = await runner.perform(order);
      if (answer === undefined) return awaitExit(order.folder);
      keep(runner);
      if (answer.trouble !== undefined) throw new Error(answer.trouble);
      return answer.ending ?? 'never-started';
    },
    close: () => {
      isClosed = true;
      for (const runner of idle.splice(0)) runner.end();
    },
  };
};

interface WarmRunner {
  /** Undefined when the runner died before it answered. */
  perform(order: Order): Promise<Answer | undefined>;
  retireAfter(ms: number, retire: () => void): void;
  /** Closes its stdin: it ends by itself. */
  end(): void;
}

const startRunner = ([program, ...args]: readonly [string, ...string[]]): WarmRunner => {
  assertCanSpawn();
  const process = execa(program, [...args, ...openFilesOption(givenOpenFiles())], {
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'ignore',
    cwd: '/',
    // Nothing of the daemon's environment (NOTIFY_SOCKET, secrets) comes near a job.
    extendEnv: false,
    env: { PATH: basePath },
  });
  let waiting: ((answer: Answer | undefined) => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isGone = false;
  const settle = (answer: Answer | undefined): void => {
    waiting?.(answer);
    waiting = undefined;
  };
  const gone = (): void => {
    isGone = true;
    settle(undefined);
  };
  process.once('exit', gone).once('error', gone);
  process.stdin.on('error', () => undefined);
  process.unref();
  onLines(process.stdout, (line) => settle(JSON.parse(line) as Answer));
  return {
    perform: (order) => {
      clearTimeout(timer);
      return new Promise((resolve) => {
        waiting = resolve;
        if (isGone) settle(undefined);
        else process.stdin.write(`${JSON.stringify(order)}\n`);
      });
    },
    retireAfter: (ms, retire) => {
      timer = setTimeout(retire, ms).unref();
    },
    end: () => {
      clearTimeout(timer);
      process.stdin.end();
    },
  };
};
