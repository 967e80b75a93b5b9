/** A broker as it is: a daemon of its own with a registry in etcd, and who may ask it. */
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '../../spec/support/api.ts';
import { freePort } from '../../spec/support/etcd.ts';
import { root, type TestNode } from '../../spec/support/node.ts';
import { until } from '../../spec/support/wait.ts';
import type { OwnBrokerView } from '../../src/api/contract/brokers.ts';
import type { Answer, Statement } from '../../src/registry/statements.ts';
import type { Bench } from './bench.ts';
import { stopProgram } from './peer.ts';

const team = 'team1';
const secret = 'correct horse battery';

export interface BenchWorker {
  readonly plugins: string;
  readonly slots: number;
}

export interface BenchBroker {
  readonly node: TestNode;
  /** For `Client.connect`. */
  readonly connect: {
    readonly brokers: readonly [{ readonly endpoint: string; readonly key: string }];
    readonly team: string;
    readonly identity: string;
    readonly secret: string;
  };
  registry(statement: Statement): Promise<Answer>;
  /** How many workers are online. */
  online(): Promise<number>;
  /** Makes a worker; gives its token. */
  addWorker(identity: string): Promise<string>;
  /** Makes a worker, and starts a `triggerfs-worker` for it; gives its pid once it is online. */
  startWorker(identity: string, worker: BenchWorker): Promise<number>;
  /** Makes a service with these workers. */
  addService(name: string, workers: readonly string[]): Promise<void>;
}

export const startBroker = async (bench: Bench): Promise<BenchBroker> => {
  const etcd = await bench.etcd();
  const endpoint = `tcp://127.0.0.1:${await freePort()}`;
  const config = `[broker]\nlisten = "${endpoint}"\nadvertise = "${endpoint}"\n`;
  const node = await bench.daemon({ name: 'broker', etcd: [etcd.endpoint], config });
  await call(node.socket, 'POST', '/v1/admin/init', { team, identity: 'hp', secret });
  const { key } = await call<OwnBrokerView>(node.socket, 'GET', '/v1/broker');
  const registry = (statement: Statement): Promise<Answer> => call(node.socket, 'POST', '/v1/registry', { statement });
  const addWorker = async (identity: string): Promise<string> => {
    const { rows } = await registry({ verb: 'worker.add', team, identity });
    return (rows[0] as { token: string }).token;
  };
  const online = async (): Promise<readonly string[]> => {
    const { rows } = await registry({ verb: 'worker.list', team });
    const workers = rows as { identity: string; state: string }[];
    return workers.filter(({ state }) => state === 'ONLINE').map(({ identity }) => identity);
  };
  return {
    node,
    connect: { brokers: [{ endpoint, key }], team, identity: 'hp', secret },
    registry,
    online: async () => (await online()).length,
    addWorker,
    startWorker: async (identity, worker) => {
      const folder = join(bench.dir, identity);
      mkdirSync(folder, { mode: 0o700 });
      const file = join(folder, 'triggerfs.toml');
      const token = await addWorker(identity);
      writeFileSync(file, workerConfig({ folder, broker: { endpoint, key }, identity, token, ...worker }));
      const child = spawn(join(root, 'bin/triggerfs-worker'), ['-identity', identity, '-config', file], {
        stdio: ['ignore', 'ignore', openSync(join(folder, 'log'), 'a')],
      });
      bench.onEnd(() => stopProgram(child));
      await until(async () => (await online()).includes(identity), `worker ${identity}`, 30_000);
      return child.pid ?? 0;
    },
    addService: async (name, workers) => {
      await registry({ verb: 'service.add', team, name });
      for (const worker of workers) await registry({ verb: 'service.attach', team, name, worker });
    },
  };
};

interface WorkerConfig extends BenchWorker {
  readonly folder: string;
  readonly broker: { readonly endpoint: string; readonly key: string };
  readonly identity: string;
  readonly token: string;
}

const workerConfig = ({ folder, broker, identity, token, plugins, slots }: WorkerConfig): string => `[node]
name = "${identity}"
state_dir = "${folder}"

[main]
broker = "${broker.endpoint}"
broker_key = "${broker.key}"

[queues.requests]
slots = ${slots}

[jobs]
max_output = "256MiB"

[workers]
pluginspath = "${plugins}"

[workers.${team}.${identity}]
token = "${token}"
`;

/** Plugins of the benchmarks, by what they do: made in a folder of this benchmark. */
export const writePlugins = (bench: Bench): string => {
  const plugins = join(bench.dir, 'plugins');
  const write = (name: string, manifest: string, program: string): void => {
    const folder = join(plugins, name);
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    writeFileSync(join(folder, 'plugin.toml'), `summary = "For benchmarks"\n${manifest}`);
    writeFileSync(join(folder, name), program, { mode: 0o755 });
  };
  write(
    'steady',
    'mode = "persistent"\nconcurrency = 256\n',
    `#!${process.execPath}\n${readFileSync(join(root, 'bench/peers/steady.mjs'), 'utf8')}`,
  );
  write('each', '', '#!/bin/sh\nexec cat\n');
  write('much', '', "#!/bin/sh\nhead -c 100000000 /dev/zero | tr '\\0' x\n");
  return plugins;
};
