/**
 * One broker with 1,000 workers and 1,000 services, each service with one of them: its memory, and what a request one at
 * a time takes, to another service each time; against the same broker with one worker and one service.
 */
import { until } from '../spec/support/wait.ts';
import type { Bench } from './support/bench.ts';
import { type BenchBroker, startBroker } from './support/bus.ts';
import { startLoad } from './support/load.ts';
import { memoryMb } from './support/memory.ts';
import { startPeer } from './support/peer.ts';
import type { Row } from './support/row.ts';
import { median, summarize, timed } from './support/samples.ts';

const count = 1_000;
/** zeromq allows some thousand sockets in a process, and a worker needs three. */
const perProcess = 250;
const load = { count: 1_000, inFlight: 1 };

export const servicesMany = async (bench: Bench): Promise<Row[]> => {
  const broker = await startBroker(bench);
  const pid = broker.node.pid();
  const first = await latencies(bench, broker, await addWorkers(bench, broker, 0, 1));
  const memoryOfOne = memoryMb(pid);
  let services: string[] = [];
  const registered = await timed(async () => {
    services = await addWorkers(bench, broker, 1, count);
  });
  const all = await latencies(bench, broker, services);
  return [
    { figure: '1,000 workers, 1,000 services: there', unit: 'ms', ours: registered, peer: null, aim: null },
    {
      figure: 'broker’s memory',
      unit: 'MB',
      ours: memoryMb(pid),
      peer: { name: 'one worker', value: memoryOfOne },
      aim: null,
    },
    {
      figure: 'echo, no jobs, p50',
      unit: 'ms',
      ours: median(all),
      peer: { name: 'one worker', value: median(first) },
      aim: null,
      samples: { many: summarize(all), one: summarize(first) },
    },
  ];
};

/** Registers and starts them; gives the services. */
const addWorkers = async (bench: Bench, broker: BenchBroker, from: number, to: number): Promise<string[]> => {
  const { connect } = broker;
  const services: string[] = [];
  for (let at = from; at < to; at += perProcess) {
    const workers: { identity: string; token: string }[] = [];
    for (let number = at; number < Math.min(to, at + perProcess); number++) {
      const identity = `worker${number}`;
      workers.push({ identity, token: await broker.addWorker(identity) });
      await broker.addService(`service${number}`, [identity]);
      services.push(`service${number}`);
    }
    await startPeer(bench, 'many-workers', JSON.stringify({ broker: connect.brokers[0], team: connect.team, workers }));
  }
  await until(async () => (await broker.online()) >= to, `${to} workers`, 60_000);
  return services;
};

const latencies = async (
  bench: Bench,
  broker: BenchBroker,
  services: readonly string[],
): Promise<readonly number[]> => {
  const client = await startLoad(
    bench,
    'service-client',
    JSON.stringify({ ...broker.connect, services, plugin: 'echo' }),
  );
  await client.run(load);
  return (await client.run(load)).latencies;
};
