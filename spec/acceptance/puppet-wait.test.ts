import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { until } from '../support/wait.ts';
import { waitingTrigger } from '../support/waiting-trigger.ts';

describe('a trigger with wait', () => {
  const { parts, broken, hasRun, apply, wentOn, firingOf } = waitingTrigger();

  describe.each(['etcd', 'local'])('and the provider %s', (provider) => {
    it('a trigger with wait continues when the run on its target has succeeded', async () => {
      const { exitCode, output } = await apply(`good-${provider}`, `hosts => 'lb01', provider => ${provider}`);
      expect(exitCode, output).toBe(2);
      expect(output).toMatch(/\w{26} has finished on 1 node after/);
      expect(hasRun()).toBe(true);
      expect(wentOn(`good-${provider}`)).toBe(true);
    }, 60_000);

    it('a trigger with wait fails when a run fails, and names the node, the exit code and the resource', async () => {
      writeFileSync(broken(), '');
      const { exitCode, output } = await apply(`bad-${provider}`, `hosts => 'lb01', provider => ${provider}`);
      rmSync(broken());
      expect(exitCode, output).toBe(6);
      expect(output).toMatch(
        /did not succeed on 1 of 1 node: lb01 failed with exit code [46] \(failed: Exec\[reload\]\)/,
      );
      expect(wentOn(`bad-${provider}`)).toBe(false);
    }, 60_000);

    it('a trigger with wait fails when a target stays away, and names it with its stage', async () => {
      const { exitCode, output } = await apply(
        `away-${provider}`,
        `hosts => ['lb01', 'lb99'], provider => ${provider}, timeout => 20`,
      );
      expect(exitCode, output).toBe(6);
      expect(output).toMatch(
        /did not succeed on 1 of 2 nodes: lb99 still owed after 20s\. The firing continues there\./,
      );
    }, 60_000);

    it('a trigger with wait waits through an outage of etcd and of the daemons', async () => {
      const title = `storm-${provider}`;
      const { etcd, node, webNode } = parts;
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

    it('a trigger with wait that names its own node is refused before it fires', async () => {
      const { exitCode, output } = await apply(
        `self-${provider}`,
        `hosts => ['lb01', 'web01'], provider => ${provider}`,
      );
      expect(exitCode, output).toBe(6);
      expect(output).toMatch(/could not fire to 2 nodes .*waiting would never end: web01 is this node/);
      expect(await firingOf(`self-${provider}`)).toBeUndefined();
    }, 60_000);
  });
});
