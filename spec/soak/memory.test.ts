import { expect, it, onTestFinished } from 'vitest';
import type { JobView } from '../../src/api/contract/jobs.ts';
import { postJob } from '../support/api.ts';
import { testCgroup } from '../support/cgroup.ts';
import { createNode } from '../support/node.ts';

it('H2: a daemon in 176 MB of memory accepts and keeps 120 MB of jobs, answers and works', async () => {
  const cgroup = testCgroup();
  const node = createNode({ name: 'small', etcd: ['http://127.0.0.1:1'] });
  onTestFinished(() => node.remove());
  await node.start();
  const pid = node.pid();
  cgroup.limit('memory', 176 * 2 ** 20);
  cgroup.add(pid);
  expect((await node.trigger('queue', 'pause')).exitCode).toBe(0);
  const payload = 'x'.repeat(1_000_000);
  for (let i = 0; i < 120; i++) await postJob(node.socket, { argv: ['true'], payload });
  const { stdout } = await node.trigger('queue', '--json');
  expect((JSON.parse(stdout) as JobView[]).length).toBe(120);
  expect((await node.trigger('queue', 'resume')).exitCode).toBe(0);
  expect((await node.trigger('queue', 'wait', '3')).exitCode).toBe(0);
  expect(cgroup.pids()).toContain(pid);
}, 60_000);
