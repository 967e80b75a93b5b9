import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { FiredView } from '../../src/api/contract/firings.ts';
import type { HealthView } from '../../src/api/contract/health.ts';
import type { NodeView } from '../../src/api/contract/nodes.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { call } from '../support/api.ts';
import { createNode, type TestNode } from '../support/node.ts';
import { type EtcdPlace, test } from '../support/test.ts';
import { until } from '../support/wait.ts';

const name = 'lb01.example.com';

describe('a cloned machine with a copy of the state folder', () => {
  let etcd: EtcdPlace;
  let sender: TestNode;
  let original: TestNode;
  let clone: TestNode;
  let queued: string;

  test.beforeAll(async ({ etcd: place }) => {
    etcd = place;
    sender = createNode({ name: 'web01', etcd, watch: 'enabled = false' });
    original = createNode({ name, etcd });
    // Pids of its own, as on another machine: what it learns of the original it learns from etcd.
    const through = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
    clone = createNode({ name, etcd, through });
    await Promise.all([sender.start(), original.start()]);
    await nameIs(original, 'held');
    // One waits in the journal that is copied.
    await original.trigger('queue', 'pause');
    queued = await fire();
    await until(async () => (await jobsOf(original, queued)) === 1, 'the firing to be queued');
    cpSync(join(original.dir, 'state'), join(clone.dir, 'state'), { recursive: true });
    await clone.start();
    await nameIs(clone, 'refused');
  });
  afterAll(async () => {
    // As the first of its pids it is ended with them all.
    await clone?.crash();
    await Promise.all([sender, clone, original].map((node) => node?.remove()));
  });

  const nameIs = (node: TestNode, state: string): Promise<unknown> =>
    until(async () => {
      const { name } = await call<HealthView>(node.socket, 'GET', '/v1/health');
      return name?.state === state;
    }, `the name to be ${state}`);
  const jobsOf = async (node: TestNode, firing: string): Promise<number> =>
    (await node.jobs()).filter(({ firings }) => firings.includes(firing)).length;
  const fire = async (): Promise<string> => (await sender.json<FiredView>('fire', 'refresh', '--host', name)).id;
  const finished = (firing: string): Promise<unknown> =>
    until(async () => {
      const { outcomes } = await sender.firing(firing);
      return outcomes[name]?.stage === 'finished';
    }, 'the run');
  const finding = async (node: TestNode): Promise<Finding | undefined> => {
    const { stdout } = await node.trigger('doctor', '--json');
    return (JSON.parse(stdout) as { findings?: Finding[] } & Finding[]).find(({ area }) => area === 'name');
  };

  it('a cloned machine does not run the jobs in its copy of the journal', async () => {
    await clone.trigger('queue', 'resume');
    const job = await until(async () => {
      const jobs = await clone.jobs();
      return jobs.find(({ firings, deferred }) => firings.includes(queued) && deferred);
    }, 'its job to be deferred');
    expect(job.reason).toBe('another daemon has this node’s name');
    await original.trigger('queue', 'resume');
    await finished(queued);
    expect((await clone.jobs()).map(({ state }) => state)).not.toContain('finished');
  });

  it('a cloned machine takes no firing whatever happens to the original; each firing is one job', async () => {
    const fired = [await fire(), await fire()];
    for (const firing of fired) await finished(firing);
    await original.crash();
    fired.push(await fire());
    await original.start();
    await nameIs(original, 'held');
    await finished(fired[2] as string);
    await original.stop();
    fired.push(await fire());
    await nameIs(clone, 'refused');
    await original.start();
    await finished(fired[3] as string);
    for (const firing of fired) expect(await jobsOf(clone, firing)).toBe(0);
    for (const firing of fired) expect(await jobsOf(original, firing)).toBe(1);
  });

  it('a cloned machine and its original are named in nodes, doctor, events and logs, and its local queue continues', async () => {
    await nameIs(clone, 'refused');
    const pid = (await call<HealthView>(clone.socket, 'GET', '/v1/health')).pid;
    const row = await until(async () => {
      const node = (await sender.json<NodeView[]>('nodes')).find((each) => each.node === name);
      return node?.present === true && node.refused.length === 1 ? node : undefined;
    }, 'both in nodes');
    expect([row.holder?.pid, row.refused[0]?.pid]).toEqual([original.pid(), pid]);
    expect((await sender.trigger('nodes')).stdout).toContain(`${name}: refused to `);
    // The original was restarted: the clone hears of its new process when it asks for the name the next time.
    const known = await until(async () => {
      const found = await finding(clone);
      return found?.what.includes(`pid ${original.pid()}`) ? found : undefined;
    }, 'the clone’s doctor to know the original');
    expect(known.state).toBe('wrong');
    await until(async () => (await finding(original))?.state === 'wrong', 'the original’s doctor to know');
    for (const node of [clone, original]) {
      // One JSON document a line.
      const { stdout } = await node.trigger('events', '--kind', 'node.refused', '--json');
      expect(stdout).toContain(`"pid":${pid}`);
    }
    expect(clone.log().some(({ msg }) => msg.startsWith(`The name ${name} belongs to another daemon`))).toBe(true);
    const added = await clone.trigger('queue', 'add', '--', 'true');
    expect((await clone.trigger('queue', 'wait', added.stdout.trim())).exitCode).toBe(0);
  });

  it('a cloned machine gets the name once an administrator lets it, and then the original is refused', async () => {
    expect((await clone.trigger('node', 'adopt', name)).exitCode).toBe(1);
    await original.stop();
    expect(await clone.trigger('node', 'adopt', name)).toMatchObject({ exitCode: 0 });
    await nameIs(clone, 'held');
    const firing = await fire();
    await finished(firing);
    expect(await jobsOf(clone, firing)).toBe(1);
    await original.start();
    await nameIs(original, 'refused');
    expect(readFileSync(join(original.dir, 'state', 'name.json'), 'utf8')).toContain('"refused_by":{');
  });
});
