/**
 * A write to a synchronous trigger file, from `open` to the end of `close`, beside the same request by a client that is
 * connected: one at a time, the same broker, worker and persistent plugin for both.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../spec/support/node.ts';
import { until } from '../spec/support/wait.ts';
import type { Bench } from './support/bench.ts';
import { type BenchBroker, startBroker, writePlugins } from './support/bus.ts';
import { startWriter } from './support/file-writer.ts';
import { startLoad } from './support/load.ts';
import type { Row } from './support/row.ts';
import { interleave, median, summarize } from './support/samples.ts';

const rounds = 6;
const count = 200;
const bytes = 120;

export const fileSync = async (bench: Bench): Promise<Row[]> => {
  const broker = await startBroker(bench);
  await broker.startWorker('demo02', { plugins: writePlugins(bench), slots: 4 });
  await broker.addService('demoservice', ['demo02']);
  const file = await mountedFile(bench, broker);
  const writer = await startWriter(bench);
  const options = JSON.stringify({ ...broker.connect, services: ['demoservice'], plugin: 'steady' });
  const client = await startLoad(bench, 'service-client', options);
  const { ours, request } = await interleave(rounds, 1, {
    ours: async () => (await writer.write({ path: file, bytes, count, isEach: true })) / count,
    request: async () => (await client.run({ count, inFlight: 1 })).totalMs / count,
  });
  return [
    {
      figure: 'a synchronous write',
      unit: 'ms',
      ours: median(ours),
      peer: { name: 'request by a client', value: median(request) },
      aim: { of: 'ratio', at: 'most', bound: 1.3 },
      samples: { ours: summarize(ours), request: summarize(request) },
    },
  ];
};

const mountedFile = async (bench: Bench, { connect, registry }: BenchBroker): Promise<string> => {
  const { team, identity, secret, brokers } = connect;
  await registry({ verb: 'directory.add', team, path: '/bench' });
  await registry({
    verb: 'definition.add',
    ...{ team, path: '/bench/sync', plugin: 'steady', service: 'demoservice', delivery: 'sync', visibility: 'team' },
  });
  const mountpoint = join(bench.dir, 'mnt');
  mkdirSync(mountpoint);
  const config = join(bench.dir, 'triggerfs.toml');
  const main = { team, identity, secret, broker: brokers[0].endpoint, broker_key: brokers[0].key };
  const lines = Object.entries(main).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  const text = ['[main]', ...lines, '[triggerfs]', `mountpoint = "${mountpoint}"`, `logfile = "${bench.dir}/fs.log"`];
  writeFileSync(config, `${text.join('\n')}\n`, { mode: 0o600 });
  const mounted = spawn(join(root, 'bin/triggerfs'), ['-config', config], {
    stdio: 'ignore',
    env: { ...process.env, XDG_STATE_HOME: join(bench.dir, 'state') },
  });
  bench.onEnd(async () => {
    const gone = once(mounted, 'exit');
    mounted.kill('SIGTERM');
    await gone;
  });
  const file = join(mountpoint, 'bench/sync');
  await until(() => isThere(file), 'the mount', 20_000);
  return file;
};

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
