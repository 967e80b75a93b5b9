import { execFileSync } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testCgroup } from '../support/cgroup.ts';
import { createNode, type NodeOptions, type TestNode } from '../support/node.ts';
import { processesWith } from '../support/processes.ts';
import { until } from '../support/wait.ts';

/** Nobody's: no process of this machine runs as this user. */
const uid = 64_999;

const startedNode = async (options: Partial<NodeOptions> = {}, prepare: (node: TestNode) => void = () => undefined) => {
  const node = createNode({ name: 'limited', etcd: ['http://127.0.0.1:1'], ...options });
  onTestFinished(() => node.remove());
  prepare(node);
  await node.start();
  return node;
};
const add = async (node: TestNode, ...args: string[]): Promise<string> => {
  const { stdout, stderr } = await node.trigger('queue', 'add', ...args);
  if (stdout === '') throw new Error(stderr);
  return stdout.trim();
};
const info = (node: TestNode, id: string) => node.job(id);
const running = (node: TestNode, id: string) =>
  until(async () => (await info(node, id)).state === 'running', `job ${id} to run`);

describe('jobs that take more than their share', () => {
  it('C3: without root and without cgroups a fork bomb ends at max_processes, and other jobs run meanwhile', async () => {
    const node = await startedNode(
      {
        config: '[jobs]\nmax_processes = 120\ngrace = "500ms"\n[queues.bombs]',
        through: ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'],
      },
      ({ dir }) => void execFileSync('chown', ['-R', `${uid}:${uid}`, dir]),
    );
    const bomb = await add(node, '--queue', 'bombs', '--timeout', '2m', '--', 'perl', '-e', 'fork while 1');
    await until(() => ownedBy(uid) > 60, 'the bomb');
    // It is ended by hand: a limit of time would have to be longer than a busy machine needs for what is to run beside it.
    const other = await add(node, '--', 'true');
    expect((await node.trigger('queue', 'wait', other)).exitCode).toBe(0);
    expect(ownedBy(uid)).toBeLessThan(120);
    await node.trigger('queue', 'kill', bomb);
    await node.trigger('queue', 'wait', bomb);
    expect(await info(node, bomb)).toMatchObject({ state: 'finished', result: 'killed' });
    expect(processesWith('fork while 1')).toEqual([]);
  });

  it('C4: a job that burns every core holds up neither the daemon nor another job', async () => {
    const node = await startedNode({ config: '[queues.burning]' });
    const burn = 'for i in 1 2 3 4 5 6 7 8; do (while :; do :; done) & done; wait';
    const burning = await add(node, '--queue', 'burning', '--', 'sh', '-c', burn);
    await running(node, burning);
    const other = await add(node, '--', 'true');
    expect((await node.trigger('queue', 'wait', other)).exitCode).toBe(0);
    await node.trigger('queue', 'kill', burning);
    await node.trigger('queue', 'wait', burning);
    expect(await info(node, burning)).toMatchObject({ state: 'finished', result: 'killed' });
  });
});

describe('H2: a daemon without room', () => {
  it('H2: a daemon that cannot start processes logs it and keeps its jobs waiting; they run when one can start', async () => {
    const cgroup = testCgroup();
    const node = await startedNode();
    cgroup.add(node.pid());
    cgroup.limit('processes', 1);
    const ids = [await add(node, '--', 'true'), await add(node, '--', 'true')];
    await until(() => node.log().some(({ level, msg }) => level >= 40 && /start/.test(msg)), 'the word');
    expect((await info(node, ids[0] as string)).state).toBe('queued');
    expect((await node.trigger('queue')).exitCode).toBe(0);
    cgroup.limit('processes', 'max');
    for (const id of ids) {
      expect((await node.trigger('queue', 'wait', id)).exitCode).toBe(0);
      expect(await info(node, id)).toMatchObject({ result: 'succeeded', attempt: 1 });
    }
  });
});

const ownedBy = (user: number): number =>
  execFileSync('sh', ['-c', `pgrep -u ${user} || true`], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean).length;
