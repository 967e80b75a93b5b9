import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import type { Order } from '../adapters/process/job-files.ts';
import { isShortage } from '../adapters/process/shortage.ts';
import { withOrdinaryScore } from '../adapters/system/inherited.ts';
import type { LaunchPlan } from '../queue/ports/runner.ts';

export interface StartedProcess {
  readonly pid: number;
  /** Resolves when this process has exited; others of its group may still run. */
  readonly exited: Promise<ProcessExit>;
}

export type ProcessExit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: string };

/** File descriptors of a job's standard streams. */
export interface Streams {
  readonly stdin: number | 'ignore';
  readonly stdout: number;
  readonly stderr: number;
}

/**
 * Starts the plan's process as leader of a session of its own; the reason as text when the plan cannot be started.
 * Throws when that is no fault of the plan: the system is short of something.
 */
export const startProcess = async (
  plan: LaunchPlan,
  env: Readonly<Record<string, string>>,
  streams: Streams,
): Promise<StartedProcess | string> => {
  const [program, ...args] = plan.argv;
  try {
    const child = withOrdinaryScore(() =>
      spawn(program, args, {
        cwd: plan.cwd,
        env: { ...env },
        detached: true,
        stdio: [streams.stdin, streams.stdout, streams.stderr],
      }),
    );
    const failure = child.pid === undefined ? await failureOf(child) : undefined;
    if (failure !== undefined || child.pid === undefined) throw failure;
    return { pid: child.pid, exited: exitOf(child) };
  } catch (thrown) {
    if (isShortage(thrown)) throw thrown;
    return reasonOf(thrown, plan);
  }
};

const failureOf = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => child.once('error', resolve));

const exitOf = (child: ChildProcess): Promise<ProcessExit> =>
  new Promise((resolve) => {
    child.once('exit', (code, signal) =>
      resolve(code === null ? { kind: 'signalled', signal: signal ?? 'SIGKILL' } : { kind: 'exited', code }),
    );
  });

/**
 * The job's input as a file without a name, not a pipe: a job that reads little of it, or late, holds up nobody, and
 * `/dev/stdin` can be opened.
 */
export const openInput = (
  { folder, token }: Order,
  { stdin: text, stdinEncoding }: Pick<LaunchPlan, 'stdin' | 'stdinEncoding'>,
): number | 'ignore' => {
  if (text === null) return 'ignore';
  const file = `${folder}/stdin-${token}`;
  const fd = openSync(file, 'wx+', 0o600);
  rmSync(file);
  try {
    const bytes = Buffer.from(text, stdinEncoding);
    // Written at positions, so that the offset that the job inherits stays 0.
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at);
    return fd;
  } catch (thrown) {
    closeSync(fd);
    throw thrown;
  }
};

export const closeStreams = ({ stdin, stdout, stderr }: Streams): void => {
  for (const fd of [stdin, stdout, stderr]) if (fd !== 'ignore') closeSync(fd);
};

const reasonOf = (thrown: unknown, plan: LaunchPlan): string => {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (!isFolder(plan.cwd)) return `The working folder ${plan.cwd} does not exist.`;
  const known: Readonly<Record<string, string>> = {
    ENOENT: existsSync(plan.argv[0])
      ? `The interpreter that ${plan.argv[0]} names was not found.`
      : `${plan.argv[0]} was not found.`,
    EACCES: `${plan.argv[0]} may not be executed.`,
    E2BIG: 'The arguments and the environment together are too large.',
    ETXTBSY: `${plan.argv[0]} is being written by another process.`,
  };
  return known[code] ?? (thrown instanceof Error ? thrown.message : String(thrown));
};

const isFolder = (path: string): boolean => {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
};
