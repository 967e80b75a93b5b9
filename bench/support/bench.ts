import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEtcd, type TestEtcd } from '../../spec/support/etcd.ts';
import { createNode, type NodeOptions, type TestNode } from '../../spec/support/node.ts';
import type { Row } from './row.ts';

/** What a benchmark gets: a folder, ways to start things, and the promise that all of it is stopped afterwards. */
export interface Bench {
  readonly dir: string;
  /** A folder in memory: what is not to be measured by the disk. */
  readonly memoryDir: string;
  /** An etcd of this benchmark's own, on loopback. */
  etcd(): Promise<TestEtcd>;
  /** A real daemon of this benchmark's own, ready. */
  daemon(options: NodeOptions): Promise<TestNode>;
  /** The same, not started. */
  node(options: NodeOptions): TestNode;
  onEnd(stop: () => unknown): void;
}

export type Benchmark = (bench: Bench) => Promise<Row[]>;

const limitMs = 120_000;

/** Runs a benchmark within two minutes, and stops in reverse order whatever it has started. */
export const runBenchmark = async (benchmark: Benchmark, signal: AbortSignal): Promise<Row[]> => {
  const dir = mkdtempSync(join(tmpdir(), 'triggerd-bench-'));
  const memoryDir = mkdtempSync('/dev/shm/triggerd-bench-');
  const stops = [dir, memoryDir].map(
    (folder): (() => unknown) =>
      () =>
        rmSync(folder, { recursive: true, force: true }),
  );
  const onEnd = (stop: () => unknown) => void stops.push(stop);
  const node = (options: NodeOptions): TestNode => {
    const created = createNode(options);
    onEnd(() => created.remove());
    return created;
  };
  const bench: Bench = {
    dir,
    memoryDir,
    onEnd,
    etcd: async () => {
      const etcd = await startEtcd();
      onEnd(() => etcd.stop());
      return etcd;
    },
    node,
    daemon: async (options) => {
      const daemon = node(options);
      await daemon.start();
      return daemon;
    },
  };
  const ended = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  const interrupted = new Promise<never>((_, reject) => {
    ended.addEventListener('abort', () => reject(ended.reason), { once: true });
  });
  try {
    return await Promise.race([benchmark(bench), interrupted]);
  } finally {
    for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop();
  }
};
