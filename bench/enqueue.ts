/**
 * How long a caller waits for a job's id, with the queue paused so that nothing else continues. Ours has the job on disk
 * by then. The echo server shows what node:http over a unix socket costs on this machine at this moment; a client call of
 * task-spooler is the start of a process, which is how one enqueues there.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Bench } from './support/bench.ts';
import { connectTo, postJob } from './support/client.ts';
import { startPeer } from './support/peer.ts';
import type { Row } from './support/row.ts';
import { interleave, summarize, timed } from './support/samples.ts';
import { startTaskSpooler } from './support/tsp.ts';

const rounds = 1000;
const warmUp = 200;
const tspRounds = 100;
const run = promisify(execFile);

export const enqueue = async (bench: Bench): Promise<Row[]> => {
  const daemon = await bench.daemon({ name: 'bench', etcd: ['http://127.0.0.1:9'], watch: 'enabled = false' });
  const echoSocket = join(bench.dir, 'echo');
  await startPeer(bench, 'echo-server', echoSocket);
  const [client, echo] = [connectTo(daemon.socket), connectTo(echoSocket)];
  bench.onEnd(() => client.close());
  bench.onEnd(() => echo.close());
  const spooler = await startTaskSpooler(bench);
  await spooler.block();
  await client.call('POST', '/v1/queues/default/pause');

  const { triggerd, http } = await interleave(rounds, warmUp, {
    triggerd: () => timed(() => postJob(client, { argv: ['/bin/true'] })),
    http: () => timed(() => postJob(echo, { argv: ['/bin/true'] })),
  });
  // Apart: a fork between two requests makes both of them slower.
  const { tsp } = await interleave(tspRounds, 5, {
    tsp: () => timed(() => run('tsp', ['-n', 'true'], { env: spooler.env })),
  });
  const [ours, bare, theirs] = [triggerd, http, tsp].map(summarize);
  if (ours === undefined || bare === undefined || theirs === undefined) throw new Error('no samples');
  const samples = { triggerd: ours, 'http echo': bare, 'tsp -n true': theirs };
  const row = { unit: 'ms', ours: ours.p50 } as const;
  return [
    {
      ...row,
      figure: 'enqueue, p50',
      peer: { name: 'http echo', value: bare.p50 },
      aim: { of: 'ours', at: 'most', bound: 1 },
      samples,
    },
    { ...row, figure: '', peer: { name: 'tsp -n true', value: theirs.p50 }, aim: null },
    { ...row, figure: 'enqueue, p95', ours: ours.p95, peer: { name: 'http echo', value: bare.p95 }, aim: null },
  ];
};
