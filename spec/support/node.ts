import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa, type Options, type ResultPromise } from 'execa';
import type { FiringView } from '../../src/api/contract/firings.ts';
import type { JobView } from '../../src/api/contract/jobs.ts';
import { call } from './api.ts';
import { signalProcess } from './signal.ts';
import type { EtcdPlace } from './test.ts';
import { until } from './wait.ts';

export const root = resolve(import.meta.dirname, '../..');

export interface NodeOptions {
  readonly name: string;
  /** Endpoints, or the place of a test file in the etcd of its worker. */
  readonly etcd: readonly string[] | EtcdPlace;
  /** TOML text after the generated sections. */
  readonly config?: string;
  /** `[etcd] request_timeout`. Long, because a busy machine is not an etcd that is away; a killed one refuses at once. */
  readonly requestTimeout?: string;
  /** Keys of `[watch]`, as TOML lines. */
  readonly watch?: string;
  readonly plugins?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Starts the daemon through this command, e.g. as another user. */
  readonly through?: readonly string[];
}

export interface Answer {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | undefined;
}

/** One node of a fleet: a real daemon with its own folder, and the `trigger` of that node. */
export interface TestNode {
  readonly name: string;
  readonly dir: string;
  readonly socket: string;
  readonly configFile: string;
  /** Starts the daemon and waits until it is ready. */
  start(): Promise<void>;
  /** TERM, and waits for the end; gives the exit code. */
  stop(): Promise<number | undefined>;
  /** KILL: a crash. */
  crash(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  pid(): number;
  /** The daemon's log so far: JSON lines, parsed. */
  log(): { msg: string; level: number; [field: string]: unknown }[];
  trigger(...args: string[]): Promise<Answer>;
  json<T>(...args: string[]): Promise<T>;
  /** What `trigger status --json` prints, and the next two `trigger queue --json` and `trigger queue info --json`. */
  firing(id: string): Promise<FiringView>;
  firings(): Promise<FiringView[]>;
  jobs(): Promise<JobView[]>;
  job(id: string | number): Promise<JobView>;
  /** Stops the daemon and removes everything. */
  remove(): Promise<void>;
}

export const createNode = (options: NodeOptions): TestNode => {
  const dir = mkdtempSync(join(tmpdir(), `triggerd-${options.name.slice(0, 12)}-`));
  const socket = join(dir, 'sock');
  const configFile = join(dir, 'triggerd.toml');
  const logFile = join(dir, 'log');
  // What holds a secret is closed, as everybody's should be; others start daemons of other users, too.
  const mode = /^(?:secret|jwt|token) =/m.test(options.config ?? '') ? 0o600 : 0o644;
  writeFileSync(configFile, configText(options, dir, socket), { mode });
  let daemon: ResultPromise | undefined;

  const log: TestNode['log'] = () =>
    (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '')
      .split('\n')
      .slice(0, -1) // the last line is being written
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));

  const start = async (): Promise<void> => {
    const already = log().length;
    const [program = '', ...args] = [...(options.through ?? []), join(root, 'bin/triggerd'), '--config', configFile];
    const child = execa(program, args, daemonOptions(options, logFile));
    child.catch(() => undefined); // its end is looked at by `stop` and `crash`
    daemon = child;
    const ready = () =>
      log()
        .slice(already)
        .some((line) => line.msg === 'Ready');
    const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
    await until(() => ready() || hasEnded(), `triggerd on ${options.name}`);
    if (ready()) return;
    await child.catch(() => undefined); // its last words are in the log then
    throw new Error(`triggerd on ${options.name} ended: ${readFileSync(logFile, 'utf8')}`);
  };

  const end = async (name: NodeJS.Signals): Promise<number | undefined> => {
    const child = daemon;
    if (child === undefined) return undefined;
    daemon = undefined;
    child.kill(name);
    await child.catch(() => undefined);
    return child.exitCode ?? undefined;
  };

  const trigger: TestNode['trigger'] = async (...args) => {
    const { stdout, stderr, exitCode } = await execa(join(root, 'bin/trigger'), ['--config', configFile, ...args], {
      reject: false,
      stdin: 'ignore',
      env: { NO_COLOR: '1', ...options.env },
    });
    return { stdout, stderr, exitCode };
  };

  /** Asks the daemon itself: a program of its own for each look would take most of a core while a test waits. */
  const ask = <T>(path: string): Promise<T> => call(socket, 'GET', path);

  return {
    name: options.name,
    dir,
    socket,
    configFile,
    start,
    stop: () => end('SIGTERM'),
    crash: async () => void (await end('SIGKILL')),
    signal: (name) => daemon && signalProcess(daemon, name),
    pid: () => daemon?.pid ?? 0,
    log,
    trigger,
    json: async <T>(...args: string[]): Promise<T> => {
      const { stdout, stderr } = await trigger(...args, '--json');
      if (stdout === '') throw new Error(`trigger ${args.join(' ')} printed nothing; stderr: ${stderr}`);
      return JSON.parse(stdout) as T;
    },
    firing: (id) => ask(`/v1/firings/${id}`),
    firings: () => ask('/v1/firings?limit=20'),
    jobs: () => ask('/v1/jobs?limit=500'),
    job: (id) => ask(`/v1/jobs/${id}`),
    remove: async () => {
      await end('SIGTERM');
      // Its jobs continue, and may still write there.
      rmSync(dir, { recursive: true, force: true, maxRetries: 50, retryDelay: 10 });
    },
  };
};

/** The endpoints and the prefix of what a test was given as etcd. */
export const placeOf = (etcd: readonly string[] | EtcdPlace): { endpoints: readonly string[]; prefix: string } =>
  'endpoint' in etcd ? { endpoints: [etcd.endpoint], prefix: etcd.prefix } : { endpoints: etcd, prefix: '/trigger' };

const configText = (options: NodeOptions, dir: string, socket: string): string => {
  mkdirSync(join(dir, 'state'), { mode: 0o700 });
  const { endpoints, prefix } = placeOf(options.etcd);
  return `[node]
name = "${options.name}"
state_dir = "${dir}/state"
socket = "${socket}"

[etcd]
endpoints = ${JSON.stringify(endpoints)}
prefix = "${prefix}"
request_timeout = "${options.requestTimeout ?? '10s'}"

[watch]
${options.watch ?? 'run_cmd = "true"'}

[plugins]
path = "${options.plugins ?? join(root, 'plugins')}"

${options.config ?? ''}
`;
};

const daemonOptions = (options: NodeOptions, logFile: string): Options => ({
  stdin: 'ignore',
  stdout: 'ignore',
  stderr: { file: logFile, append: true },
  env: { ...options.env },
  cleanup: true,
});
