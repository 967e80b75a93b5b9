/** How long `trigger queue` takes from its start to its end, with a few jobs to show, against Node doing nothing. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../spec/support/node.ts';
import type { Bench } from './support/bench.ts';
import { connectTo, postJob } from './support/client.ts';
import type { Row } from './support/row.ts';
import { interleave, summarize, timed } from './support/samples.ts';

const rounds = 40;
const warmUp = 3;
const jobs = 5;

export const startUp = async (bench: Bench): Promise<Row[]> => {
  const daemon = await bench.daemon({ name: 'bench', etcd: ['http://127.0.0.1:9'], watch: 'enabled = false' });
  const client = connectTo(daemon.socket);
  for (let n = 0; n < jobs; n += 1) await postJob(client, { argv: ['/bin/true'], label: `job ${n}` });
  client.close();

  const trigger = join(root, 'bin/trigger');
  const { ours, bare } = await interleave(rounds, warmUp, {
    ours: () => timed(() => runToEnd(trigger, '--config', daemon.configFile, 'queue')),
    bare: () => timed(() => runToEnd('node', '-e', '0')),
  });
  const [trg, node] = [summarize(ours), summarize(bare)];
  return [
    {
      figure: 'trigger queue, p50',
      unit: 'ms',
      ours: trg.p50,
      peer: { name: 'node -e 0', value: node.p50 },
      aim: { of: 'ratio', at: 'most', bound: 2 },
      samples: { 'trigger queue': trg, 'node -e 0': node },
    },
  ];
};

/** Synchronously: nothing of this process comes in between. */
const runToEnd = (program: string, ...args: string[]): void => {
  const { status, stderr } = spawnSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`);
};
