/**
 * A process for each request, four at a time: requests to a plugin of mode `exec`, through broker, worker and journal,
 * against the bare spawning of the same script.
 */
import { join } from 'node:path';
import type { Bench } from './support/bench.ts';
import { startBroker, writePlugins } from './support/bus.ts';
import { startLoad } from './support/load.ts';
import type { Row } from './support/row.ts';
import { interleave, median, summarize } from './support/samples.ts';

const rounds = 6;
const load = { count: 200, inFlight: 4 };

export const servicesExec = async (bench: Bench): Promise<Row[]> => {
  const broker = await startBroker(bench);
  const plugins = writePlugins(bench);
  await broker.startWorker('demo01', { plugins, slots: load.inFlight });
  const asked = JSON.stringify({ ...broker.connect, services: ['demo01'], plugin: 'each' });
  const service = await startLoad(bench, 'service-client', asked);
  const bare = await startLoad(bench, 'spawn-client', join(plugins, 'each/each'));
  const rate = async ({ run }: typeof bare): Promise<number> => (load.count * 1000) / (await run(load)).totalMs;
  const samples = await interleave(rounds, 1, { service: () => rate(service), bare: () => rate(bare) });
  return [
    {
      figure: 'a process per request, 4 in flight',
      unit: 'requests/s',
      ours: median(samples.service),
      peer: { name: 'bare spawn', value: median(samples.bare) },
      aim: null,
      samples: { ours: summarize(samples.service), bare: summarize(samples.bare) },
    },
  ];
};
