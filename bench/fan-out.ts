/**
 * One firing for very many nodes: how long until it is committed, and until every one of them has it in its journal; and
 * the memory that it takes. The nodes are simulated (see fan-out-nodes.ts); all of them, the publisher and etcd share this
 * machine. The peer writes the same entries in bare transactions, one after the other, without the promise that all or
 * nothing is owed.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { connect, type EtcdStore } from '../src/adapters/etcd/connect.ts';
import { chunksOf } from '../src/kit/in-windows.ts';
import type { Bench } from './support/bench.ts';
import type { NodesOrder, NodesReport } from './support/fan-out-nodes.ts';
import { nodeNames, type Range, silent } from './support/fan-out-parts.ts';
import type { PublisherOrder, PublisherReport } from './support/fan-out-publisher.ts';
import type { Aim, Row } from './support/row.ts';
import { median, summarize, timed } from './support/samples.ts';

/** The median of them: in the first ones V8 still compiles what hundreds of nodes then share. */
const rounds = 9;
const prefix = '/fan-out';
/** In memory: ten thousand nodes have as many disks, and this machine has one. */
const journals = '/dev/shm';

export const fanOut = async (bench: Bench): Promise<Row[]> => rowsOf(await measure(bench, 1_000), 500);
export const largeFanOut = async (bench: Bench): Promise<Row[]> => rowsOf(await measure(bench, 10_000), 3_000);

interface Measured {
  readonly nodes: number;
  readonly committed: number[];
  /** Until the last node. */
  readonly journalled: number[];
  /** Until half of the nodes. */
  readonly half: number[];
  readonly bare: number[];
  /** CPU time, in ms, that a firing costs etcd and all nodes together. */
  readonly etcdCpu: number[];
  readonly nodesCpu: number[];
  /** MB: of an empty etcd, with all nodes watching, after the firings; and the publisher's. */
  readonly memory: { empty: number; watched: number; fired: number; publisher: number };
}

const measure = async (bench: Bench, count: number): Promise<Measured> => {
  const etcd = await bench.etcd();
  const store = connect({ endpoints: [etcd.endpoint], log: silent });
  bench.onEnd(() => store.close());
  const etcdMetric = (name: string) => metric(etcd.ports.metrics, name);
  const etcdMemory = async () => (await etcdMetric('process_resident_memory_bytes')) / 1e6;
  const etcdCpu = async () => (await etcdMetric('process_cpu_seconds_total')) * 1e3;
  const all = { from: 0, to: count };
  const empty = await etcdMemory();
  const publisher = await start<PublisherOrder>(bench, 'publisher', { endpoint: etcd.endpoint, prefix, range: all });
  const processes = await Promise.all(
    shares(all).map((range) =>
      start<NodesOrder>(bench, 'nodes', { endpoint: etcd.endpoint, prefix, range, dir: folder(bench) }),
    ),
  );
  const memory = { empty, watched: await etcdMemory(), fired: 0, publisher: 0 };
  const samples = { committed: [], journalled: [], half: [], bare: [], etcdCpu: [], nodesCpu: [] };
  const measured: Measured = { nodes: count, ...samples, memory };
  for (let round = 0; round < rounds; round++) {
    const reports = processes.map((each) => next<NodesReport>(each));
    const cpuBefore = await etcdCpu();
    publisher.send('fire');
    const published = await next<PublisherReport>(publisher);
    const done = await Promise.all(reports);
    const times = done.flatMap(({ journalledAt }) => journalledAt);
    measured.etcdCpu.push((await etcdCpu()) - cpuBefore);
    measured.nodesCpu.push(done.reduce((sum, { cpu }) => sum + cpu, 0));
    measured.committed.push(published.publishedAt - published.begunAt);
    measured.journalled.push(Math.max(...times) - published.begunAt);
    measured.half.push(median(times) - published.begunAt);
    memory.publisher = published.memory / 1e6;
    measured.bare.push(await timed(() => putBare(store, `/bare/${round}/`, nodeNames(all))));
  }
  memory.fired = await etcdMemory();
  for (const each of [...processes, publisher]) await end(each);
  return measured;
};

/** One for each processor. */
const shares = ({ from, to }: Range): Range[] => {
  const size = Math.ceil((to - from) / availableParallelism());
  return chunksOf(nodeNames({ from, to }), size).map(({ length }, index) => ({
    from: from + index * size,
    to: from + index * size + length,
  }));
};

const folder = (bench: Bench): string => {
  const dir = mkdtempSync(join(journals, 'triggerd-fan-out-'));
  bench.onEnd(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
};

/** Hundreds of nodes in one heap need the young generation of hundreds: with one node's it would be copied all the time. */
const execArgv = [...process.execArgv, '--max-semi-space-size=64'];

/** Resolves once the process says that it is ready. */
const start = async <Order>(bench: Bench, name: string, order: Order): Promise<ChildProcess> => {
  const child = fork(join(import.meta.dirname, `support/fan-out-${name}.ts`), [JSON.stringify(order)], { execArgv });
  bench.onEnd(() => end(child));
  await next(child);
  return child;
};

const next = async <Message>(child: ChildProcess): Promise<Message> => {
  const answered = new AbortController();
  const ended = once(child, 'exit', { signal: answered.signal }).then(([code]) => {
    throw new Error(`a process of the benchmark ended with ${code}`);
  });
  ended.catch(() => undefined); // heard below, or given up with the answer
  try {
    const [message] = await Promise.race([once(child, 'message'), ended]);
    return message as Message;
  } finally {
    answered.abort();
  }
};

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
};

const putBare = async (store: EtcdStore, below: string, names: readonly string[]): Promise<void> => {
  for (const chunk of chunksOf(names, 100))
    await store.commit({ compare: [], write: chunk.map((name) => ({ put: below + name, value: '{}' })) });
};

const rowsOf = (measured: Measured, atMostMs: number): Row[] => {
  const aim: Aim = { of: 'ours', at: 'most', bound: atMostMs };
  const { nodes, committed, journalled, half, bare, etcdCpu, nodesCpu, memory } = measured;
  const name = `${nodes.toLocaleString('en')} nodes`;
  const samples = { committed: summarize(committed), bare: summarize(bare) };
  const peer = { name: 'bare puts', value: median(bare) };
  const ms = { unit: 'ms', peer: null, aim: null } as const;
  const mb = { unit: 'MB', peer: null, aim: null } as const;
  return [
    { ...ms, figure: `${name}: committed`, ours: median(committed), peer, samples },
    { ...ms, figure: `${name}: journalled by half`, ours: median(half), samples: { half: summarize(half) } },
    {
      ...ms,
      figure: `${name}: journalled by all`,
      ours: median(journalled),
      aim,
      samples: { journalled: summarize(journalled) },
    },
    { ...ms, figure: `${name}: CPU time of etcd`, ours: median(etcdCpu), samples: { etcdCpu: summarize(etcdCpu) } },
    {
      ...ms,
      figure: `${name}: CPU time of all nodes`,
      ours: median(nodesCpu),
      samples: { nodesCpu: summarize(nodesCpu) },
    },
    { ...mb, figure: `${name}: etcd’s memory, empty`, ours: memory.empty },
    { ...mb, figure: `${name}: etcd’s memory, watched`, ours: memory.watched },
    { ...mb, figure: `${name}: etcd’s memory, fired`, ours: memory.fired },
    { ...mb, figure: `${name}: publisher’s memory`, ours: memory.publisher },
  ];
};

const metric = async (port: number, name: string): Promise<number> => {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
};
