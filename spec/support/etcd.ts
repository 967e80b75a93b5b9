import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signalProcess } from './signal.ts';
import { until } from './wait.ts';

export interface EtcdTestOptions {
  readonly name?: string;
  readonly ports?: EtcdPorts;
  /** `name=http://…,name=http://…` of a static cluster. */
  readonly initialCluster?: string;
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
  /** Default: it does where it has TLS. */
  readonly asksForCertificates?: boolean;
  readonly args?: readonly string[];
}

export interface EtcdPorts {
  readonly client: number;
  readonly peer: number;
  readonly metrics: number;
}

/** A real etcd for one test file, on free loopback ports with its data in a temporary folder. */
export interface TestEtcd {
  readonly endpoint: string;
  readonly ports: EtcdPorts;
  readonly folder: string;
  log(): string;
  /** SIGKILL; the data stay. */
  kill(): Promise<void>;
  /** Starts it again on its ports, with its data. */
  start(): Promise<void>;
  /** Kills it and deletes its data. The next start is another cluster, or with the same id one that begins anew. */
  wipe(next: 'another-id' | 'same-id'): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Kills it and removes its folder. */
  stop(): Promise<void>;
}

export const startEtcd = async (options: EtcdTestOptions = {}): Promise<TestEtcd> => {
  const etcd = prepareEtcd(options, options.ports ?? (await freePorts()));
  await etcd.start();
  return etcd;
};

/** Three members. They are started together, because one alone has no quorum to become healthy. */
export const startCluster = async (): Promise<TestEtcd[]> => {
  const members = await Promise.all(['a', 'b', 'c'].map(async (name) => ({ name, ports: await freePorts() })));
  const initialCluster = members.map(({ name, ports }) => `${name}=http://127.0.0.1:${ports.peer}`).join(',');
  const cluster = members.map(({ name, ports }) => prepareEtcd({ name, initialCluster }, ports));
  await Promise.all(cluster.map((member) => member.start()));
  return cluster;
};

const portsOfAProcess = 2_000;
/** Each of vitest's processes has its own. */
const firstPort = 10_000 + (Number(process.env['VITEST_POOL_ID'] ?? 0) % 11) * portsOfAProcess;
let nextPort = Math.floor(Math.random() * portsOfAProcess);

/**
 * A port for a server of this test file, which may be started again on it. It is none of those that the kernel gives to whoever
 * asks for any (32768 and up): else somebody could be given it before the server listens, or while that is down.
 */
export const freePort = async (): Promise<number> => {
  for (let tries = 0; tries < portsOfAProcess; tries++) {
    const port = firstPort + (nextPort++ % portsOfAProcess);
    if (await isFree(port)) return port;
  }
  throw new Error(`no port from ${firstPort} to ${firstPort + portsOfAProcess - 1} is free`);
};

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

const freePorts = async (): Promise<EtcdPorts> => ({
  client: await freePort(),
  peer: await freePort(),
  metrics: await freePort(),
});

const prepareEtcd = (options: EtcdTestOptions, ports: EtcdPorts): TestEtcd => {
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-etcd-'));
  const scheme = options.tls ? 'https' : 'http';
  const endpoint = `${scheme}://127.0.0.1:${ports.client}`;
  let child: ChildProcess | undefined;
  let wipes = 0;
  // A test run that ends early must not leave servers behind.
  const onExit = () => void child?.kill('SIGKILL');
  process.once('exit', onExit);

  const kill = async () => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await gone;
  };
  const start = async () => {
    const log = openSync(join(folder, 'log'), 'a');
    const started = spawn('etcd', argumentsFor(options, ports, endpoint, folder, wipes), {
      stdio: ['ignore', log, log],
      env: { PATH: process.env['PATH'] },
    });
    closeSync(log);
    child = started;
    const hasEnded = () => started.exitCode !== null || started.signalCode !== null;
    await until(async () => hasEnded() || (await isHealthy(ports.metrics)), `etcd at ${endpoint} to be healthy`);
    if (hasEnded()) throw new Error(`etcd at ${endpoint} has ended: ${readFileSync(join(folder, 'log'), 'utf8')}`);
  };
  return {
    endpoint,
    ports,
    folder,
    log: () => readFileSync(join(folder, 'log'), 'utf8'),
    kill,
    start,
    wipe: async (next) => {
      await kill();
      if (next === 'another-id') wipes++;
      rmSync(join(folder, 'data'), { recursive: true, force: true });
    },
    freeze: () => child && signalProcess(child, 'SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    stop: async () => {
      process.off('exit', onExit);
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

const argumentsFor = (
  options: EtcdTestOptions,
  ports: EtcdPorts,
  endpoint: string,
  folder: string,
  wipes: number,
): string[] => {
  const name = options.name ?? 'test';
  const peer = `http://127.0.0.1:${ports.peer}`;
  return [
    ...['--name', name, '--data-dir', join(folder, 'data')],
    ...['--listen-client-urls', endpoint, '--advertise-client-urls', endpoint],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
    ...['--initial-cluster', options.initialCluster ?? `${name}=${peer}`],
    ...[
      '--initial-cluster-token',
      options.initialCluster ?? `${folder}-${wipes}`,
      '--listen-metrics-urls',
      `http://127.0.0.1:${ports.metrics}`,
    ],
    ...['--heartbeat-interval', '50', '--election-timeout', '500', '--logger', 'zap', '--log-level', 'warn'],
    ...(options.tls
      ? [
          ...(options.asksForCertificates === false ? [] : ['--client-cert-auth', '--trusted-ca-file', options.tls.ca]),
          '--cert-file',
          options.tls.cert,
          '--key-file',
          options.tls.key,
        ]
      : []),
    ...(options.args ?? []),
  ];
};

const isHealthy = async (port: number): Promise<boolean> => {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(2_000) });
    return (await answer.text()).includes('"true"');
  } catch {
    return false;
  }
};
