import { afterAll, describe, expect, it } from 'vitest';
import { createNode, type TestNode } from '../../../support/node.ts';
import { type EtcdPlace, test } from '../../../support/test.ts';
import { until } from '../../../support/wait.ts';

describe('the daemon that sweeps', () => {
  let etcd: EtcdPlace;
  let nodes: TestNode[];

  test.beforeAll(async ({ etcd: place }) => {
    etcd = place;
    const config = '[sweeper]\ninterval = "2s"';
    nodes = ['web01', 'web02', 'web03'].map((name) => createNode({ name, etcd, config }));
    for (const node of nodes) await node.start();
  });
  afterAll(async () => {
    await Promise.all(nodes?.map((node) => node.remove()) ?? []);
  });

  const sweeps = (node: TestNode): boolean => {
    const said = node.log().filter(({ msg }) => /^This node is (no longer )?the sweeper/.test(msg));
    return said.at(-1)?.msg.startsWith('This node is the sweeper') ?? false;
  };
  const others = (gone: TestNode) => nodes.filter((node) => node !== gone);
  const isElected = (among: readonly TestNode[]) => until(() => among.find(sweeps), 'one that sweeps');

  it('a frozen daemon that sweeps is followed by another one, and knows that when it wakes up', async () => {
    const frozen = await isElected(nodes);
    frozen.signal('SIGSTOP');
    try {
      await isElected(others(frozen));
    } finally {
      frozen.signal('SIGCONT');
    }
    await until(() => !sweeps(frozen), 'the frozen one to notice');
    expect(nodes.filter(sweeps)).toHaveLength(1);
  });

  it('a killed daemon that sweeps is followed by another one', async () => {
    const killed = await isElected(nodes);
    await killed.crash();
    await isElected(others(killed));
    expect(others(killed).filter(sweeps)).toHaveLength(1);
  });
});
