/**
 * An echo through broker and worker, with CURVE and tokens, against NATS' request and reply and against a bare pair of
 * zeromq.js sockets with a proxy in JavaScript between them: one at a time, and 256 under way. Everything is a process of
 * its own: client, broker (proxy, nats-server) and worker.
 */
import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { freePort } from '../spec/support/etcd.ts';
import { until } from '../spec/support/wait.ts';
import type { Bench } from './support/bench.ts';
import { type BenchBroker, startBroker, writePlugins } from './support/bus.ts';
import { type Load, startLoad } from './support/load.ts';
import { startPeer, startProgram } from './support/peer.ts';
import type { Aim, Row } from './support/row.ts';
import { interleave, median, summarize } from './support/samples.ts';

const rounds = 6;
const alone = { count: 400, inFlight: 1 };
const many = { count: 4_000, inFlight: 256 };

export const services = async (bench: Bench): Promise<Row[]> => {
  const broker = await startBroker(bench);
  const contenders: Record<string, Load> = {
    service: await wholeService(bench, broker),
    bus: await busAlone(bench, broker),
    bare: await barePair(bench),
  };
  const nats = await natsEcho(bench);
  if (nats !== undefined) contenders['nats'] = nats;
  const latencies = await interleave(
    rounds,
    1,
    measured(contenders, async (load) => median((await load.run(alone)).latencies)),
  );
  const rates = await interleave(
    rounds,
    1,
    measured(contenders, async (load) => (many.count * 1000) / (await load.run(many)).totalMs),
  );
  return [...rowsOf('one at a time, p50', 'ms', latencies), ...rowsOf('256 in flight', 'requests/s', rates)];
};

const measured = (contenders: Record<string, Load>, measure: (load: Load) => Promise<number>) =>
  Object.fromEntries(Object.entries(contenders).map(([name, load]) => [name, () => measure(load)]));

const ours = { service: 'echo', bus: 'echo, no jobs' } as const;
const peers = { bare: 'bare zeromq.js', nats: 'NATS' } as const;

const rowsOf = (what: string, unit: 'ms' | 'requests/s', samples: Record<string, number[]>): Row[] =>
  (['service', 'bus'] as const).flatMap((our) =>
    (['bare', 'nats'] as const).flatMap((peer) => {
      const [mine = [], theirs] = [samples[our], samples[peer]];
      if (theirs === undefined) return [];
      return [
        {
          figure: `${ours[our]}, ${what}`,
          unit,
          ours: median(mine),
          peer: { name: peers[peer], value: median(theirs) },
          aim: our === 'service' ? aimOf(unit, peer) : null,
          samples: { ours: summarize(mine), [peer]: summarize(theirs) },
        },
      ];
    }),
  );

const aimOf = (unit: 'ms' | 'requests/s', peer: 'bare' | 'nats'): Aim | null => {
  if (unit === 'ms') return peer === 'bare' ? { of: 'ratio', at: 'most', bound: 1.3 } : null;
  return { of: 'ratio', at: 'least', bound: 1 };
};

const barePair = async (bench: Bench): Promise<Load> => {
  const [front, back] = [`tcp://127.0.0.1:${await freePort()}`, `tcp://127.0.0.1:${await freePort()}`];
  await startPeer(bench, 'zmq-proxy', front, back);
  await startPeer(bench, 'zmq-worker', back);
  return startLoad(bench, 'zmq-client', front);
};

/** All of it: a `triggerfs-worker`, its journal, and a persistent plugin. */
const wholeService = async (bench: Bench, broker: BenchBroker): Promise<Load> => {
  await broker.startWorker('demo02', { plugins: writePlugins(bench), slots: many.inFlight });
  return startLoad(
    bench,
    'service-client',
    JSON.stringify({ ...broker.connect, services: ['demo02'], plugin: 'steady' }),
  );
};

/** The bus alone: the worker sends back what it gets. */
const busAlone = async (bench: Bench, broker: BenchBroker): Promise<Load> => {
  const { connect: to } = broker;
  const token = await broker.addWorker('demo01');
  await broker.addService('demoservice', ['demo01']);
  const worker = { broker: to.brokers[0], team: to.team, identity: 'demo01', token };
  await startPeer(bench, 'service-worker', JSON.stringify(worker));
  return startLoad(bench, 'service-client', JSON.stringify({ ...to, services: ['demoservice'], plugin: 'echo' }));
};

/** Undefined where there is no nats-server. */
const natsEcho = async (bench: Bench): Promise<Load | undefined> => {
  if (spawnSync('nats-server', ['--version']).error !== undefined) {
    console.error('bench: no nats-server (apt-get install nats-server): services are not compared to NATS');
    return undefined;
  }
  const port = String(await freePort());
  startProgram(bench, 'nats-server', ['-a', '127.0.0.1', '-p', port, '-l', '/dev/null']);
  const server = `nats://127.0.0.1:${port}`;
  await until(() => isListening(Number(port)), 'nats-server');
  await startPeer(bench, 'nats-worker', server);
  return startLoad(bench, 'nats-client', server);
};

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
