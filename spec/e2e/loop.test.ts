import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createNode, root, type TestNode } from '../support/node.ts';
import { type EtcdPlace, test } from '../support/test.ts';
import { until } from '../support/wait.ts';

/** Runs that fire at each other for ever, if nobody stops them. */
describe('a ring of three nodes whose runs fire at the next one', () => {
  let etcd: EtcdPlace;
  const ring: TestNode[] = [];

  test.beforeAll(async ({ etcd: place }) => {
    etcd = place;
    const names = ['a', 'b', 'c'];
    for (const [index, name] of names.entries()) {
      const node = createNode({ name, etcd });
      const next = names[(index + 1) % names.length];
      const config = readFileSync(node.configFile, 'utf8').replace(
        'run_cmd = "true"',
        `run_cmd = "sh -c 'echo ran >> ${node.dir}/runs; exec ${root}/bin/trigger --socket ${node.socket} fire ring --host ${next}'"`,
      );
      writeFileSync(node.configFile, config);
      ring.push(node);
    }
    await Promise.all(ring.map((node) => node.start()));
  });
  afterAll(async () => {
    await Promise.all(ring.map((node) => node.remove()));
  });

  it('a firing passes round a ring of three nodes once; the edge that closes the ring is skipped with the cycle as its reason', async () => {
    await ring[0]?.trigger('fire', 'ring', '--host', 'a');
    const stopped = await until(async () => {
      const all = (await ring[0]?.firings()) ?? [];
      const outcomes = all.flatMap((firing) => Object.values(firing.outcomes));
      return all.length === 4 && outcomes.every((each) => ['finished', 'skipped'].includes(each.stage))
        ? outcomes
        : undefined;
    }, 'four firings, all of them over');
    expect(stopped.filter((each) => each.stage === 'skipped').map((each) => [each.node, each.reason])).toEqual([
      ['a', 'loop: ring on a → ring on b → ring on c → ring on a'],
    ]);
    for (const node of ring) expect(readFileSync(join(node.dir, 'runs'), 'utf8')).toBe('ran\n');
  });
});
