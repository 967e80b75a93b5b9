/**
 * How many jobs a queue gets through in a second: `/bin/true`, one at a time. Once from the first enqueue to the last
 * end, once only the draining of what was queued before. Ours keeps a journal (fsynced) and everything about each job in a
 * folder; task-spooler keeps its queue in memory and the output in a file.
 */
import type { JobView } from '../src/api/contract/jobs.ts';
import type { Bench } from './support/bench.ts';
import { type Client, connectTo, postJob } from './support/client.ts';
import type { Row } from './support/row.ts';
import { interleave, median, summarize, timed } from './support/samples.ts';
import { mostQueued, startTaskSpooler, type TaskSpooler } from './support/tsp.ts';

const jobs = 250;
const queuedJobs = Math.min(jobs, mostQueued);
const rounds = 6;
/** Enough to have both sides warm. */
const warmUpJobs = 200;

export const queueThroughput = async (bench: Bench): Promise<Row[]> => {
  const daemon = await bench.daemon({ name: 'bench', etcd: ['http://127.0.0.1:9'], watch: 'enabled = false' });
  const client = connectTo(daemon.socket);
  bench.onEnd(() => client.close());
  const spooler = await startTaskSpooler(bench);
  await ourWhole(client, warmUpJobs);
  await theirWhole(spooler, warmUpJobs);

  const whole = await interleave(rounds, 0, {
    triggerd: () => timed(() => ourWhole(client, jobs)),
    tsp: () => timed(() => theirWhole(spooler, jobs)),
  });
  const drain = await interleave(rounds, 0, {
    triggerd: () => ourDrain(client),
    tsp: () => theirDrain(spooler),
  });
  return [rowOf('queue: add and run `true`', jobs, whole), rowOf('queue: run what is queued', queuedJobs, drain)];
};

const rowOf = (what: string, count: number, { triggerd, tsp }: Record<'triggerd' | 'tsp', number[]>): Row => ({
  figure: `${what}, ${count} jobs`,
  unit: 'jobs/s',
  ours: (count * 1000) / median(triggerd),
  peer: { name: 'task-spooler', value: (count * 1000) / median(tsp) },
  aim: { of: 'ratio', at: 'least', bound: 0.7 },
  samples: { 'triggerd ms': summarize(triggerd), 'task-spooler ms': summarize(tsp) },
});

const add = async (client: Client, count: number): Promise<number> => {
  let last = 0;
  for (let n = 0; n < count; n += 1) last = (await postJob(client, { argv: ['/bin/true'] })).id;
  return last;
};

/** The queue has one slot, so when the last has ended all have. */
const waitFor = async (client: Client, id: number): Promise<void> => {
  const job = await client.call<JobView>('GET', `/v1/jobs/${id}/wait`);
  if (job.result !== 'succeeded') throw new Error(`job ${id}: ${job.state} ${job.result} ${job.reason}`);
};

const ourWhole = async (client: Client, count: number): Promise<void> => waitFor(client, await add(client, count));

const theirWhole = async (spooler: TaskSpooler, count: number): Promise<void> => {
  await spooler.forget();
  await spooler.addMany(count, 'true');
  await spooler.waitForLast();
};

const ourDrain = async (client: Client): Promise<number> => {
  await client.call('POST', '/v1/queues/default/pause');
  const last = await add(client, queuedJobs);
  return timed(async () => {
    await client.call('POST', '/v1/queues/default/resume');
    await waitFor(client, last);
  });
};

const theirDrain = async (spooler: TaskSpooler): Promise<number> => {
  await spooler.forget();
  const release = await spooler.block();
  await spooler.addMany(queuedJobs, 'true');
  return timed(() => {
    release();
    return spooler.waitForLast();
  });
};
