import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa, type ResultPromise } from 'execa';
import { onTestFinished } from 'vitest';
import type { BrokerEndpoint } from '../../src/domain/broker-address.ts';
import { root } from './node.ts';
import { signalProcess } from './signal.ts';
import { until } from './wait.ts';

export interface WorkerProcess {
  readonly folder: string;
  readonly socket: string;
  readonly configFile: string;
  start(...flags: string[]): Promise<void>;
  /** Its lines so far, without their dates. */
  lines(): string[];
  says(text: string | RegExp, times?: number): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Resolves with the exit code when it has ended; null where a signal ended it. */
  ended(): Promise<number | null>;
  /** Kills it, and removes everything. */
  remove(): Promise<void>;
}

export interface WorkerProcessOptions {
  readonly team?: string;
  readonly identity?: string;
  readonly token?: string;
  /** `[workers] pluginspath`; null: the file has neither that nor `allow`. */
  readonly plugins?: string | null;
  /** TOML text after the generated sections. */
  readonly config?: string;
}

/** A real `triggerfs-worker` with a folder of its own, ended and removed after the test. Not started yet. */
export const workerProcess = (
  brokers: readonly BrokerEndpoint[],
  options: WorkerProcessOptions = {},
): WorkerProcess => {
  const worker = lastingWorker(brokers, options);
  onTestFinished(() => worker.remove());
  return worker;
};

/** The same, for several tests: whoever makes it removes it. */
export const lastingWorker = (
  brokers: readonly BrokerEndpoint[],
  options: WorkerProcessOptions = {},
): WorkerProcess => {
  const { team = 'team1', identity = 'demo01', token = 'token', plugins = join(root, 'plugins') } = options;
  const folder = mkdtempSync(join(tmpdir(), 'triggerfs-worker-'));
  const configFile = join(folder, 'triggerfs.toml');
  const logFile = join(folder, 'log');
  writeFileSync(logFile, '');
  writeFileSync(
    configFile,
    `[node]
name = "${identity}.example.com"
[main]
broker = ${JSON.stringify(brokers.map(({ endpoint }) => endpoint))}
broker_key = ${JSON.stringify(brokers.map(({ key }) => key))}
${plugins === null ? '' : `[workers]\npluginspath = "${plugins}"`}
[workers.${team}.${identity}]
token = "${token}"
${options.config ?? ''}
`,
    { mode: 0o600 },
  );
  const text = (): string => readFileSync(logFile, 'utf8');
  let child: ResultPromise | undefined;

  // Its exit, and not the end of its output: runners of its jobs may hold that open.
  let exited: Promise<unknown> = Promise.resolve();
  const ended = async (): Promise<number | null> => {
    await exited;
    return child?.exitCode ?? null;
  };
  const lines = (): string[] => {
    const whole = text().split('\n').slice(0, -1);
    return whole.map((line) => line.replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /, ''));
  };
  const says = async (wanted: string | RegExp, times = 1): Promise<void> => {
    const isThere = () =>
      lines().filter((line) => (typeof wanted === 'string' ? line.includes(wanted) : wanted.test(line))).length >=
      times;
    await until(() => isThere() || child?.exitCode !== null, `the worker to say ${wanted}`);
    if (!isThere()) throw new Error(`the worker has ended without saying ${wanted}:\n${text()}`);
  };
  return {
    folder,
    socket: join(folder, 'state/triggerd', `${team}.${identity}`, 'triggerd.sock'),
    configFile,
    start: async (...flags) => {
      mkdirSync(join(folder, 'state'), { recursive: true });
      const before = lines().length;
      child = execa(join(root, 'bin/triggerfs-worker'), ['-identity', identity, '-config', configFile, ...flags], {
        stdin: 'ignore',
        stdout: 'ignore',
        stderr: { file: logFile, append: true },
        env: { XDG_STATE_HOME: join(folder, 'state') },
        cleanup: true,
      });
      child.catch(() => undefined); // its end is looked at by `ended`
      exited = once(child, 'exit');
      await until(() => lines().length > before || child?.exitCode !== null, 'the worker to start');
    },
    lines,
    says,
    signal: (name) => child && signalProcess(child, name),
    ended,
    remove: async () => {
      child?.kill('SIGKILL');
      await ended();
      // Runners that it has left may be about to write their last words.
      rmSync(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 10 });
    },
  };
};
