import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createNode, type TestNode } from '../support/node.ts';
import { createPuppet, type TestPuppet } from '../support/puppet.ts';
import { type EtcdPlace, test } from '../support/test.ts';
import { waitingTrigger } from '../support/waiting-trigger.ts';

/** With both providers, and all that may go wrong meanwhile: `npm run acceptance`. */
describe('a trigger with wait', () => {
  const { broken, hasRun, apply, wentOn } = waitingTrigger();

  it('a trigger with wait continues when the run on its target has succeeded', async () => {
    const { exitCode, output } = await apply('good', "hosts => 'lb01', provider => local");
    expect(exitCode, output).toBe(2);
    expect(output).toMatch(/\w{26} has finished on 1 node after/);
    expect(hasRun()).toBe(true);
    expect(wentOn('good')).toBe(true);
  });

  it('a trigger with wait fails when a run fails, and names the node, the exit code and the resource', async () => {
    writeFileSync(broken(), '');
    const { exitCode, output } = await apply('bad', "hosts => 'lb01', provider => etcd");
    rmSync(broken());
    expect(exitCode, output).toBe(6);
    expect(output).toMatch(
      /did not succeed on 1 of 1 node: lb01 failed with exit code [46] \(failed: Exec\[reload\]\)/,
    );
    expect(wentOn('bad')).toBe(false);
  });
});

/** web01's run waits for lb01, whose run waits for web01: without a guard both sit there until time is up. */
describe('a ring of triggers that wait for each other', () => {
  let etcd: EtcdPlace;
  const puppets: TestPuppet[] = [];
  let node: TestNode;

  test.beforeAll(async ({ etcd: place }) => {
    etcd = place;
    puppets.push(createPuppet('web01', etcd), createPuppet('lb01', etcd));
    const back = puppets[1]?.manifest('lb.pp', ring('web01')) ?? '';
    const runCommand = [puppets[1]?.program, 'apply', ...(puppets[1]?.options ?? []), back].join(' ');
    const client = join(puppets[1]?.dir ?? '', 'client.json');
    node = createNode({
      name: 'lb01',
      etcd,
      watch: `run_cmd = "/usr/bin/env TRIGGERD_CLIENT_JSON=${client} ${runCommand} --detailed-exitcodes"`,
    });
    await node.start();
  });
  afterAll(async () => {
    await node?.remove();
    for (const puppet of puppets) puppet.remove();
  });

  it('a ring of triggers with wait is refused where it closes, and every run in it learns of it immediately', async () => {
    const web = puppets[0];
    const { exitCode, output } = (await web?.apply(web.manifest('web.pp', ring('lb01')))) ?? {};
    expect(exitCode, output).toBe(6);
    expect(output).toMatch(/did not succeed on 1 of 1 node: lb01 failed with exit code 6/);
    const firings = await node.firings();
    expect(firings).toHaveLength(1);
    expect(firings[0]?.outcomes['lb01']?.output_tail).toMatch(
      /waiting would never end: web01 is in the chain that led to this run/,
    );
  });
});

const ring = (host: string): string => `notify { 'x': } ~> trigger { 'ring': hosts => '${host}', wait => true }`;
