/**
 * One firing for very many nodes: how long until it is committed, and until a thousand of them have read it. Each reads
 * the whole list of targets, so this grows with the square of their number. The peer writes the same entries in bare
 * transactions, one after the other, without the promise that all or nothing is owed.
 */
import { ulid } from 'ulid';
import { firing as someFiring } from '../spec/support/firings.ts';
import { connect, type EtcdStore } from '../src/adapters/etcd/connect.ts';
import { chunksOf, inWindows } from '../src/watch/in-windows.ts';
import { keysBelow } from '../src/watch/keys.ts';
import { publishFiring } from '../src/watch/publish.ts';
import type { Bench } from './support/bench.ts';
import type { Aim, Row } from './support/row.ts';
import { median, summarize, timed } from './support/samples.ts';

const rounds = 3;
const readers = 1_000;
/** Nodes that read at the same moment. */
const readersAtOnce = 64;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export const fanOut = async (bench: Bench): Promise<Row[]> => {
  const etcd = await bench.etcd();
  const store = connect({ endpoints: [etcd.endpoint], log: silent });
  bench.onEnd(() => store.close());
  const few = await measure(store, 1_000);
  const many = await measure(store, 10_000);
  const memory = { unit: 'MB', peer: null, aim: null } as const;
  return [
    ...rowsOf(few, 500),
    ...rowsOf(many, 3_000),
    { ...memory, figure: `etcd’s memory after ${2 * rounds} such firings`, ours: await etcdMb(etcd.ports.metrics) },
    { ...memory, figure: 'publisher’s memory, at most', ours: (process.resourceUsage().maxRSS * 1024) / 1e6 },
  ];
};

interface Measured {
  readonly targets: number;
  readonly published: number[];
  readonly read: number[];
  readonly bare: number[];
}

const measure = async (store: EtcdStore, count: number): Promise<Measured> => {
  const targets = Array.from({ length: count }, (_, index) => `node${index}.example.com`);
  const measured: Measured = { targets: count, published: [], read: [], bare: [] };
  for (let round = 0; round < rounds; round++) {
    const firing = someFiring({ id: ulid(), targets });
    const keys = keysBelow(`/fan-out/${count}/${round}`);
    const published = await timed(() => publishFiring({ store, keys }, firing));
    const read = await timed(() =>
      inWindows(targets.slice(0, readers), () => store.get(keys.firing(firing.id)), readersAtOnce),
    );
    measured.published.push(published);
    measured.read.push(published + read);
    measured.bare.push(await timed(() => putBare(store, `/bare/${count}/${round}/`, targets)));
  }
  return measured;
};

const putBare = async (store: EtcdStore, prefix: string, names: readonly string[]): Promise<void> => {
  for (const chunk of chunksOf(names, 100))
    await store.commit({ compare: [], write: chunk.map((name) => ({ put: prefix + name, value: '{}' })) });
};

const rowsOf = ({ targets, published, read, bare }: Measured, atMostMs: number): Row[] => {
  const aim: Aim = { of: 'ours', at: 'most', bound: atMostMs };
  const name = `${targets.toLocaleString('en')} targets`;
  const samples = { published: summarize(published), read: summarize(read), bare: summarize(bare) };
  const peer = { name: 'bare puts', value: median(bare) };
  return [
    { figure: `${name}: committed`, unit: 'ms', ours: median(published), peer, aim, samples },
    { figure: `${name}: read by 1,000 nodes`, unit: 'ms', ours: median(read), peer: null, aim: null },
  ];
};

/** MB are 10^6 bytes here. */
const etcdMb = async (metricsPort: number): Promise<number> => {
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1]) / 1e6;
};
