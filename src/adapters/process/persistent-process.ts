import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { Lines } from '../../kit/lines.ts';
import {
  maxLineLength,
  type PersistentProcess,
  type ProcessListener,
  type StartPersistent,
} from '../../plugin/persistent/ports.ts';
import type { PersistentProgram } from '../../queue/ports/runner.ts';
import { basePath } from '../system/base-env.ts';
import { givenOpenFiles, withOrdinaryScore } from '../system/inherited.ts';
import { canStartUnits, limitProperties, pipedUnitCommand, stopUnit } from './own-unit.ts';
import { forgetProcess, pluginUnit, rememberProcess } from './persistent-leftovers.ts';
import { groupTree, tokenVariable } from './process-tree.ts';
import { assertCanSpawn } from './shortage.ts';
import { stopTree } from './stop-tree.ts';
import { withLimits } from './with-limits.ts';

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Processes of persistent plugins: each in a unit of its own, or, where systemd is not, a child of the daemon and the leader of a
 * session. `folder` holds one file for each that lives, so that the next daemon finds what a dead one left.
 */
export const createStartPersistent =
  (folder: string): StartPersistent =>
  (program, listener) => {
    const token = randomBytes(12).toString('hex');
    const child = started(folder, program, token);
    if (typeof child === 'string') {
      setImmediate(() => listener.gone(`could not be started: ${child}`));
      return neverThere;
    }
    const stop = stopping(child, token);
    listen(child, listener, async (how) => {
      // What it has started goes with it.
      if (child.pid !== undefined) await stop(0);
      forgetProcess(folder, token);
      listener.gone(how);
    });
    const write = batchedWriter(child.stdin);
    return {
      write,
      get unread() {
        return child.stdin.writableLength;
      },
      endInput: () => void child.stdin.end(),
      stop: (graceMs) => void stop(graceMs),
    };
  };

const neverThere: PersistentProcess = {
  write: () => undefined,
  unread: 0,
  endInput: () => undefined,
  stop: () => undefined,
};

/** Text: why not. What is not written down would outlive a crash of the daemon, so it is not left running. */
const started = (folder: string, program: PersistentProgram, token: string): Child | string => {
  const { argv, env } = canStartUnits() ? inUnit(program, token) : inSession(program, token);
  const [command, ...args] = argv;
  let child: Child | undefined;
  try {
    assertCanSpawn();
    child = withOrdinaryScore(() =>
      spawn(command, args, { cwd: '/', env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] }),
    );
    if (child.pid !== undefined) rememberProcess(folder, token, child.pid);
    return child;
  } catch (thrown) {
    child?.on('error', () => undefined).kill('SIGKILL');
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
};

interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

const inSession = ({ executable, env, limits }: PersistentProgram, token: string): Command =>
  withLimits({ argv: [executable], env: { ...env, [tokenVariable]: token }, cwd: '/', limits }, givenOpenFiles());

const inUnit = ({ executable, env, limits, plugin }: PersistentProgram, token: string): Command => ({
  argv: pipedUnitCommand([executable], env, {
    name: pluginUnit(token),
    description: `The persistent plugin ${plugin} of triggerd`,
    // What the plugin has started, and leaves behind at its end.
    properties: ['TimeoutStopSec=1s', ...limitProperties(limits)],
  }),
  env: { PATH: basePath },
});

const stopping = (child: Child, token: string): ((graceMs: number) => Promise<void>) => {
  if (!canStartUnits()) {
    const tree = groupTree(child.pid ?? nobody, token);
    return (graceMs) => stopTree(tree, graceMs);
  }
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return (graceMs) => stopUnit(pluginUnit(token), ended, graceMs);
};

/** A group that never exists. */
const nobody = 2 ** 30;

const listen = (child: Child, listener: ProcessListener, over: (how: string) => Promise<void>): void => {
  let how = 'could not be started';
  child.once('error', (error) => {
    how = `could not be started: ${error.message}`;
    if (child.pid === undefined) void over(how);
  });
  child.once('exit', (code, signal) => {
    how = code === null ? `was killed by ${signal}` : `ended with exit code ${code}`;
    // A child of it may hold the pipes open: what was written is read in a moment.
    for (const pipe of [child.stdout, child.stderr]) setTimeout(() => pipe.destroy(), drainMs).unref();
  });
  child.once('close', () => {
    if (child.pid !== undefined) void over(how);
  });
  // Its end says more.
  child.stdin.on('error', () => undefined);
  child.stderr.on('data', (bytes: Buffer) => listener.stderr(bytes));
  readLines(child.stdout, listener);
};

const drainMs = 200;

const readLines = (stdout: Readable, listener: ProcessListener): void => {
  const lines = new Lines();
  let isTooLong = false;
  stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (isTooLong) return;
    for (const line of lines.take(chunk)) listener.line(line);
    if (lines.begun.length <= maxLineLength) return;
    isTooLong = true;
    listener.lineTooLong();
  });
};

/** The first line goes out at once; those that come in the same turn of the event loop follow it in one write. */
const batchedWriter = (stdin: Writable): ((line: string) => void) => {
  let waiting = '';
  let isBatching = false;
  const flush = (): void => {
    isBatching = false;
    if (waiting !== '' && stdin.writable) stdin.write(waiting);
    waiting = '';
  };
  return (line) => {
    if (isBatching) waiting += line;
    else if (stdin.writable) stdin.write(line);
    if (!isBatching) setImmediate(flush);
    isBatching = true;
  };
};
