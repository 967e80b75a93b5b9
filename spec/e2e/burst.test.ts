import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { FiringView } from '../../src/api/contract/firings.ts';
import type { JobView } from '../../src/api/contract/jobs.ts';
import { postFiring } from '../support/api.ts';
import { createNode, type TestNode } from '../support/node.ts';
import { type EtcdPlace, test } from '../support/test.ts';
import { until } from '../support/wait.ts';

describe('a thousand firings during a run', () => {
  let etcd: EtcdPlace;
  let node: TestNode;
  let runs: string;
  let gate: string;

  test.beforeAll(async ({ etcd: place }) => {
    etcd = place;
    node = createNode({ name: 'lb01', etcd, watch: 'run_cmd = "sh DIR/run.sh"' });
    runs = join(node.dir, 'runs');
    gate = join(node.dir, 'gate');
    // A run that stands still until the gate is there, so that "during a run" is no matter of luck.
    writeFileSync(
      join(node.dir, 'run.sh'),
      `echo start >> ${runs}; until [ -e ${gate} ] || [ ! -d ${node.dir} ]; do sleep 0.02; done; echo end >> ${runs}\n`,
    );
    const config = readFileSync(node.configFile, 'utf8').replace('DIR', node.dir);
    writeFileSync(node.configFile, config);
    await node.start();
  });

  afterAll(async () => {
    await node?.remove();
  });

  it('a thousand firings during a run cause exactly one further run, and each of them gets its outcome', async () => {
    const count = 1000;
    const first = await postFiring(node.socket, { trigger: 'first', hosts: ['lb01'] });
    await until(() => existsSync(runs), 'the first run');
    const ids = [first.id];
    for (let batch = 0; batch < count; batch += 50) {
      const fired = await Promise.all(
        Array.from({ length: 50 }, () => postFiring(node.socket, { trigger: 'burst', hosts: ['lb01'] })),
      );
      ids.push(...fired.map((each) => each.id));
    }
    await until(async () => (await queued(node)).find((job) => job.firings.length === count), 'all of them in one job');
    writeFileSync(gate, '');

    await until(async () => (await ended(node)).length === 2, 'both runs');
    const outcomes = await until(async () => {
      const found = await node.json<FiringView[]>('status', '--limit', '1000');
      const stages = found.map((each) => each.outcomes['lb01']?.stage);
      return stages.every((stage) => stage === 'finished') ? found : undefined;
    }, 'all outcomes');
    expect(outcomes).toHaveLength(1000);
    const last = await node.firing(ids.at(-1) ?? '');
    expect(last.outcomes['lb01']).toMatchObject({ stage: 'finished', result: 'succeeded' });
    expect(readFileSync(runs, 'utf8').trim().split('\n')).toEqual(['start', 'end', 'start', 'end']);
  });
});

const queued = async (node: TestNode): Promise<JobView[]> =>
  (await node.jobs()).filter((job) => job.state === 'queued');
const ended = async (node: TestNode): Promise<JobView[]> =>
  (await node.jobs()).filter((job) => job.state === 'finished');
