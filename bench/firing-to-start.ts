/**
 * From the moment at which somebody begins to write to etcd to the moment at which a process runs on the target. The
 * process is the same in all three, a script that writes the time down; only who starts it differs:
 *
 *   triggerd     a firing, published as every publisher does; journalled, queued, started by a runner, its outcome published
 *   etcdctl      `etcdctl watch KEY -- script`
 *   bare watch   a small Node process: an etcd3 watch and one spawn
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ulid } from 'ulid';
import type { TestNode } from '../spec/support/node.ts';
import { until } from '../spec/support/wait.ts';
import { connect, type EtcdStore } from '../src/adapters/etcd/connect.ts';
import { defaultTtl, type WholeFiring } from '../src/domain/firing.ts';
import { publishFiring } from '../src/firings/publish/publish.ts';
import { keysBelow } from '../src/store/keys.ts';
import type { Bench } from './support/bench.ts';
import { startPeer, startProgram, stopProgram } from './support/peer.ts';
import type { Aim, Row } from './support/row.ts';
import { interleave, type Summary, sleep, summarize } from './support/samples.ts';

const rounds = 80;
const warmUp = 15;
const coldRounds = 6;
const pollMs = 2;
/** What a round leaves to do (outcomes, ends of processes) must not weigh on the next. */
const pauseMs = 25;
const node = 'target';
const keys = keysBelow('/trigger');
const aim: Aim = { of: 'ratio', at: 'most', bound: 1.5 };
const etcdctlName = 'etcdctl watch --';
const bareName = 'etcd3 watch + spawn';

export const firingToStart = async (bench: Bench): Promise<Row[]> => {
  const etcd = await bench.etcd();
  const store = connect({ endpoints: [etcd.endpoint], tls: {}, requestTimeoutMs: 5_000, log: silent });
  bench.onEnd(() => store.close());

  const plugin = probeIn(join(bench.dir, 'plugins/probe'));
  const daemon = await bench.daemon({
    name: node,
    etcd: [etcd.endpoint],
    watch: 'allow = ["probe"]',
    plugins: join(bench.dir, 'plugins'),
  });
  const ofEtcdctl = probeIn(join(bench.dir, 'etcdctl/probe'));
  const args = ['--endpoints', etcd.endpoint, 'watch', '/bench/etcdctl', '--', ofEtcdctl.program];
  startProgram(bench, 'etcdctl', args).stdout?.resume();
  await until(
    () =>
      put(store, '/bench/etcdctl')
        .then(() => sleep(100))
        .then(ofEtcdctl.isSeen),
    'etcdctl to watch',
  );
  await sleep(500);
  const ofBare = probeIn(join(bench.dir, 'bare/probe'));
  let bare = await startPeer(bench, 'bare-watch', etcd.endpoint, '/bench/bare', ofBare.program);

  const fire = (): Promise<number> => fired(store, plugin);
  const watched = (): Promise<number> => latency(ofBare, () => put(store, '/bench/bare'));
  const warm = await interleave(rounds, warmUp, {
    triggerd: fire,
    etcdctl: () => latency(ofEtcdctl, () => put(store, '/bench/etcdctl')),
    bare: watched,
  });
  const cold = await interleave(coldRounds, 0, {
    triggerd: async () => {
      await restart(daemon);
      return fire();
    },
    bare: async () => {
      await stopProgram(bare);
      bare = await startPeer(bench, 'bare-watch', etcd.endpoint, '/bench/bare', ofBare.program);
      return watched();
    },
  });
  return rowsOf(summaries(warm), summaries(cold));
};

const rowsOf = (
  warm: Record<'triggerd' | 'etcdctl' | 'bare', Summary>,
  cold: Record<'triggerd' | 'bare', Summary>,
): Row[] => {
  const { triggerd, etcdctl, bare } = warm;
  const unit = 'ms' as const;
  return [
    {
      figure: 'firing → process, p50',
      unit,
      ours: triggerd.p50,
      peer: { name: bareName, value: bare.p50 },
      aim,
      samples: warm,
    },
    { figure: '', unit, ours: triggerd.p50, peer: { name: etcdctlName, value: etcdctl.p50 }, aim: null },
    { figure: 'firing → process, p95', unit, ours: triggerd.p95, peer: { name: bareName, value: bare.p95 }, aim: null },
    { figure: '', unit, ours: triggerd.p95, peer: { name: etcdctlName, value: etcdctl.p95 }, aim: null },
    {
      figure: 'firing → process, first after start',
      unit,
      ours: cold.triggerd.p50,
      peer: { name: bareName, value: cold.bare.p50 },
      aim: null,
      samples: cold,
    },
  ];
};

const summaries = <Name extends string>(samples: Record<Name, number[]>): Record<Name, Summary> =>
  Object.fromEntries(Object.entries<number[]>(samples).map(([name, each]) => [name, summarize(each)])) as Record<
    Name,
    Summary
  >;

/** The program that is started, and the times that it has written down. */
interface Probe {
  readonly program: string;
  /** When it was started, in ns since the epoch. */
  starts(): bigint[];
  isSeen(): boolean;
}

/** A plugin's folder; for the peers it is just where the script lies. */
const probeIn = (folder: string): Probe => {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const [program, times] = [join(folder, 'probe'), join(folder, 'times')];
  writeFileSync(program, `#!/bin/sh\nexec date +%s%N >>'${times}'\n`);
  chmodSync(program, 0o755);
  writeFileSync(join(folder, 'plugin.toml'), 'summary = "Writes down when it was started"\n');
  writeFileSync(times, '');
  const starts = (): bigint[] => readFileSync(times, 'utf8').split('\n').slice(0, -1).map(BigInt);
  return { program, starts, isSeen: () => starts().length > 0 };
};

/** From the start of `write` to the start of the process, in ms, both by the wall clock of this machine. */
const latency = async (probe: Probe, write: () => Promise<unknown>): Promise<number> => {
  const before = probe.starts().length;
  const wall = (): number => performance.timeOrigin + performance.now();
  const begun = wall();
  const written = write();
  while (probe.starts().length === before) await sleep(pollMs);
  await written;
  await sleep(pauseMs);
  const started = Number((probe.starts().at(-1) ?? 0n) / 1000n) / 1000;
  return started - begun;
};

const put = (store: EtcdStore, key: string): Promise<unknown> =>
  store.commit({ compare: [], write: [{ put: key, value: ulid() }], otherwiseGet: [] });

/** Its end includes that etcd has the outcome. */
const fired = async (store: EtcdStore, probe: Probe): Promise<number> => {
  const firing = newFiring();
  const took = await latency(probe, () => publishFiring({ store, keys }, firing));
  await until(async () => (await store.get(keys.inbox(node, firing.id))) === undefined, 'the outcome');
  return took;
};

const newFiring = (): WholeFiring => ({
  id: ulid(),
  trigger: 'measure',
  origin: { kind: 'cli', node: 'bench', user: null },
  targets: [node],
  job: { plugin: 'probe', args: {} },
  noop: false,
  tags: [],
  policy: {},
  ttl: defaultTtl,
  chain: [],
  createdAt: new Date().toISOString(),
  expiresAt: null,
  signature: null,
});

const restart = async (daemon: TestNode): Promise<void> => {
  await daemon.stop();
  await daemon.start();
  await sleep(500);
};

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
