/** Runs the real `bin/trigger`, as a user would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { StubDaemon } from '../../support/stub-daemon.ts';

export const binary = join(import.meta.dirname, '../../../bin/trigger');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly process: ChildProcess;
  /** What has come so far. */
  readonly output: { stdout: string; stderr: string };
  readonly ended: Promise<Ended>;
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A command that runs `trigger` instead of us, e.g. as another user. */
  readonly through?: readonly string[];
}

export const start = (args: readonly string[], { env = {}, cwd, through = [] }: Surroundings = {}): Started => {
  const [program = binary, ...rest] = [...through, binary, ...args];
  const child = spawn(program, rest, {
    // The configuration of the machine that runs the tests is none of their business.
    env: { PATH: process.env['PATH'] ?? '', TRIGGERD_SOCKET: '/nonexistent/socket', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const ended = once(child, 'close').then(([code]): Ended => ({ code: code as number | null, ...output }));
  return { process: child, output, ended };
};

export const trigger = (args: readonly string[], surroundings: Surroundings = {}): Promise<Ended> =>
  start(args, surroundings).ended;

/** The surroundings in which `trigger` finds a stub daemon. */
export const at = (daemon: StubDaemon, env: Readonly<Record<string, string>> = {}): Surroundings => ({
  env: { TRIGGERD_SOCKET: daemon.socket, ...env },
});
