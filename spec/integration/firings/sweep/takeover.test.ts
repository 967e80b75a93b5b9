import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEtcd, type TestEtcd } from '../../../support/etcd.ts';
import { createNode, type TestNode } from '../../../support/node.ts';
import { until } from '../../../support/wait.ts';

describe('the daemon that sweeps', () => {
  let etcd: TestEtcd;
  let nodes: TestNode[];

  beforeAll(async () => {
    etcd = await startEtcd();
    const config = '[sweeper]\ninterval = "2s"';
    nodes = ['web01', 'web02', 'web03'].map((name) => createNode({ name, etcd: [etcd.endpoint], config }));
    for (const node of nodes) await node.start();
  });
  afterAll(async () => {
    await Promise.all(nodes?.map((node) => node.remove()) ?? []);
    await etcd?.stop();
  });

  const sweeps = (node: TestNode): boolean => {
    const said = node.log().filter(({ msg }) => /^This node (sweeps away|no longer sweeps)/.test(msg));
    return said.at(-1)?.msg.startsWith('This node sweeps away') ?? false;
  };
  const others = (gone: TestNode) => nodes.filter((node) => node !== gone);
  const inOffice = (among: readonly TestNode[]) => until(() => among.find(sweeps), 'one that sweeps');

  it('is followed by another one when it is frozen, and knows that when it wakes up', async () => {
    const frozen = await inOffice(nodes);
    frozen.signal('SIGSTOP');
    try {
      await inOffice(others(frozen));
    } finally {
      frozen.signal('SIGCONT');
    }
    await until(() => !sweeps(frozen), 'the frozen one to notice');
    expect(nodes.filter(sweeps)).toHaveLength(1);
  });

  it('is followed by another one when it is killed', async () => {
    const killed = await inOffice(nodes);
    await killed.crash();
    await inOffice(others(killed));
    expect(others(killed).filter(sweeps)).toHaveLength(1);
  });
});
