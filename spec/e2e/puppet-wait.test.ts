import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FiringView } from '../../src/api/contract.ts';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { createNode, type TestNode } from '../support/node.ts';
import { createPuppet, type TestPuppet } from '../support/puppet.ts';
import { until } from '../support/wait.ts';

/** A trigger that waits: real etcd, real daemons, real Puppet on both sides. */
describe('a trigger with wait', () => {
  let etcd: TestEtcd;
  let web: TestPuppet;
  let webNode: TestNode;
  let balancer: TestPuppet;
  let node: TestNode;
  /** While this file is there, Puppet fails on lb01. */
  let broken: string;

  beforeAll(async () => {
    etcd = await startEtcd();
    balancer = createPuppet('lb01', [etcd.endpoint]);
    broken = join(balancer.dir, 'broken');
    const manifest = balancer.manifest(
      'lb.pp',
      `exec { 'reload': command => '/usr/bin/test ! -e ${broken}' } -> file { '${balancer.dir}/done': content => 'x' }`,
    );
    const runCommand = ['puppet', 'apply', ...balancer.options, manifest].join(' ');
    node = createNode({ name: 'lb01', etcd: [etcd.endpoint], watch: `run_cmd = "${runCommand}"` });
    webNode = createNode({ name: 'web01', etcd: [etcd.endpoint] });
    web = createPuppet('web01', [etcd.endpoint], { socket: webNode.socket });
    await Promise.all([node.start(), webNode.start()]);
  }, 60_000);
  afterAll(async () => {
    await Promise.all([node?.remove(), webNode?.remove()]);
    for (const puppet of [web, balancer]) puppet?.remove();
    await etcd?.stop();
  });

  const apply = (title: string, rest: string) =>
    web.apply(
      web.manifest(
        `${title}.pp`,
        `notify { 'x': } ~> trigger { '${title}': wait => true, ${rest} } -> file { '${web.dir}/after-${title}': content => 'x' }`,
      ),
    );
  const wentOn = (title: string) => existsSync(join(web.dir, `after-${title}`));

  describe.each(['etcd', 'local'])('and the provider %s', (provider) => {
    it('goes on when the run there has succeeded', async () => {
      const { exitCode, output } = await apply(`good-${provider}`, `hosts => 'lb01', provider => ${provider}`);
      expect(exitCode, output).toBe(2);
      expect(output).toMatch(/\w{26} has finished on 1 node after/);
      expect(existsSync(join(balancer.dir, 'done'))).toBe(true);
      expect(wentOn(`good-${provider}`)).toBe(true);
    }, 60_000);

    it('fails when the run there fails, and names node, exit code and resource', async () => {
      writeFileSync(broken, '');
      const { exitCode, output } = await apply(`bad-${provider}`, `hosts => 'lb01', provider => ${provider}`);
      rmSync(broken);
      expect(exitCode, output).toBe(6);
      expect(output).toMatch(
        /did not succeed on 1 of 1 node: lb01 failed with exit code [46] \(failed: Exec\[reload\]\)/,
      );
      expect(wentOn(`bad-${provider}`)).toBe(false);
    }, 60_000);

    it('fails when a node stays away, and names it with its stage', async () => {
      const { exitCode, output } = await apply(
        `away-${provider}`,
        `hosts => ['lb01', 'lb99'], provider => ${provider}, timeout => 20`,
      );
      expect(exitCode, output).toBe(6);
      expect(output).toMatch(/did not succeed on 1 of 2 nodes: lb99 still owed after 20s\. It goes on there\./);
    }, 60_000);

    it('survives that etcd and the daemons go away meanwhile', async () => {
      const title = `storm-${provider}`;
      await node.stop();
      const run = apply(title, `hosts => 'lb01', provider => ${provider}`);
      await until(async () => (await firingOf(title)) !== undefined, 'the firing', 30_000);
      await etcd.kill();
      await webNode.crash();
      await Promise.all([node.start(), webNode.start()]);
      await etcd.start();
      const { exitCode, output } = await run;
      expect(exitCode, output).toBe(2);
      expect(output).toMatch(/has finished on 1 node after/);
    }, 120_000);

    it('is refused for its own node, before anything is fired', async () => {
      const { exitCode, output } = await apply(
        `self-${provider}`,
        `hosts => ['lb01', 'web01'], provider => ${provider}`,
      );
      expect(exitCode, output).toBe(6);
      expect(output).toMatch(/could not fire to 2 nodes .*waiting could never end: web01 is this node/);
      expect(await firingOf(`self-${provider}`)).toBeUndefined();
    }, 60_000);
  });

  const firingOf = async (title: string): Promise<FiringView | undefined> =>
    (await webNode.json<FiringView[]>('status')).find(({ trigger }) => trigger === title);
});

/** web01's run waits for lb01, whose run waits for web01: without a guard both sit there until time is up. */
describe('a ring of triggers that wait for each other', () => {
  let etcd: TestEtcd;
  const puppets: TestPuppet[] = [];
  let node: TestNode;

  beforeAll(async () => {
    etcd = await startEtcd();
    puppets.push(createPuppet('web01', [etcd.endpoint]), createPuppet('lb01', [etcd.endpoint]));
    const back = puppets[1]?.manifest('lb.pp', ring('web01')) ?? '';
    const runCommand = ['puppet', 'apply', ...(puppets[1]?.options ?? []), back].join(' ');
    const client = join(puppets[1]?.dir ?? '', 'client.json');
    node = createNode({
      name: 'lb01',
      etcd: [etcd.endpoint],
      watch: `run_cmd = "/usr/bin/env TRIGGERD_CLIENT_JSON=${client} ${runCommand} --detailed-exitcodes"`,
    });
    await node.start();
  }, 60_000);
  afterAll(async () => {
    await node?.remove();
    for (const puppet of puppets) puppet.remove();
    await etcd?.stop();
  });

  it('is refused where it closes, and every run in it learns that at once', async () => {
    const web = puppets[0];
    const { exitCode, output } = (await web?.apply(web.manifest('web.pp', ring('lb01')))) ?? {};
    expect(exitCode, output).toBe(6);
    expect(output).toMatch(/did not succeed on 1 of 1 node: lb01 failed with exit code 6/);
    const firings = await node.json<FiringView[]>('status');
    expect(firings).toHaveLength(1);
    expect(firings[0]?.outcomes['lb01']?.output_tail).toMatch(
      /waiting could never end: web01 is in the chain that led to this run/,
    );
  }, 90_000);
});

const ring = (host: string): string => `notify { 'x': } ~> trigger { 'ring': hosts => '${host}', wait => true }`;
