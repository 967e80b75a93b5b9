import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { FiringView } from '../../src/api/contract/firings.ts';
import { startEtcd, type TestEtcd } from './etcd.ts';
import { createNode, type TestNode } from './node.ts';
import { createPuppet, type TestPuppet } from './puppet.ts';

/** Real etcd, real daemons and real Puppet on two nodes: a trigger on web01 waits for the Puppet run on lb01. */
export const waitingTrigger = () => {
  const parts = {} as { etcd: TestEtcd; web: TestPuppet; webNode: TestNode; balancer: TestPuppet; node: TestNode };

  beforeAll(async () => {
    parts.etcd = await startEtcd();
    parts.balancer = createPuppet('lb01', [parts.etcd.endpoint]);
    const { dir } = parts.balancer;
    const manifest = parts.balancer.manifest(
      'lb.pp',
      `exec { 'reload': command => '/usr/bin/test ! -e ${dir}/broken' } -> file { '${dir}/done': content => 'x' }`,
    );
    const runCommand = [parts.balancer.program, 'apply', ...parts.balancer.options, manifest].join(' ');
    parts.node = createNode({ name: 'lb01', etcd: [parts.etcd.endpoint], watch: `run_cmd = "${runCommand}"` });
    parts.webNode = createNode({ name: 'web01', etcd: [parts.etcd.endpoint] });
    parts.web = createPuppet('web01', [parts.etcd.endpoint], { socket: parts.webNode.socket });
    await Promise.all([parts.node.start(), parts.webNode.start()]);
  });
  afterAll(async () => {
    await Promise.all([parts.node?.remove(), parts.webNode?.remove()]);
    for (const puppet of [parts.web, parts.balancer]) puppet?.remove();
    await parts.etcd?.stop();
  });

  return {
    parts,
    /** While this file is there, Puppet fails on lb01. */
    broken: () => join(parts.balancer.dir, 'broken'),
    hasRun: () => existsSync(join(parts.balancer.dir, 'done')),
    /** Puppet on web01; `rest`: further parameters of the trigger. */
    apply: (title: string, rest: string) =>
      parts.web.apply(
        parts.web.manifest(
          `${title}.pp`,
          `notify { 'x': } ~> trigger { '${title}': wait => true, ${rest} } -> file { '${parts.web.dir}/after-${title}': content => 'x' }`,
        ),
      ),
    wentOn: (title: string) => existsSync(join(parts.web.dir, `after-${title}`)),
    firingOf: async (title: string): Promise<FiringView | undefined> =>
      (await parts.webNode.firings()).find(({ trigger }) => trigger === title),
  };
};
