/**
 * 100 MB that one job prints, from the worker's file over the broker to a client that reads them, against the same program
 * and a pipe; and the most memory that each process on the way had.
 */
import { join } from 'node:path';
import type { Bench } from './support/bench.ts';
import { startBroker, writePlugins } from './support/bus.ts';
import { startLoad } from './support/load.ts';
import { peakMemoryMb } from './support/memory.ts';
import type { Row } from './support/row.ts';
import { interleave, median, summarize } from './support/samples.ts';

const bytes = 100_000_000;
const rounds = 3;
const once = { count: 1, inFlight: 1 };

export const servicesOutput = async (bench: Bench): Promise<Row[]> => {
  const broker = await startBroker(bench);
  const plugins = writePlugins(bench);
  const workerPid = await broker.startWorker('demo01', { plugins, slots: 1 });
  const asked = JSON.stringify({ ...broker.connect, service: 'demo01', plugin: 'much', expected: bytes });
  const service = await startLoad(bench, 'service-output', asked);
  const bare = await startLoad(bench, 'spawn-output', join(plugins, 'much/much'), String(bytes));
  const before = {
    broker: peakMemoryMb(broker.node.pid()),
    worker: peakMemoryMb(workerPid),
    client: peakMemoryMb(service.pid),
  };
  const rate = async ({ run }: typeof bare): Promise<number> => bytes / 1000 / (await run(once)).totalMs;
  const samples = await interleave(rounds, 1, { service: () => rate(service), bare: () => rate(bare) });
  const memory = (who: string, pid: number, empty: number): Row => ({
    figure: `${who}’s memory, at most`,
    unit: 'MB',
    ours: peakMemoryMb(pid),
    peer: { name: 'before', value: empty },
    aim: null,
  });
  return [
    {
      figure: '100 MB of output',
      unit: 'MB/s',
      ours: median(samples.service),
      peer: { name: 'a pipe', value: median(samples.bare) },
      aim: null,
      samples: { ours: summarize(samples.service), pipe: summarize(samples.bare) },
    },
    memory('broker', broker.node.pid(), before.broker),
    memory('worker', workerPid, before.worker),
    memory('client', service.pid, before.client),
  ];
};
