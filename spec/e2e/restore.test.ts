import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { FiringView } from '../../src/api/contract/firings.ts';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { createNode, type TestNode } from '../support/node.ts';
import { until } from '../support/wait.ts';

/** docs/how-to/restore.md tells an administrator what a restored snapshot means; this is what it means. */
let etcd: TestEtcd;
let node: TestNode;

beforeAll(async () => {
  etcd = await startEtcd();
  node = createNode({ name: 'lb01', etcd: [etcd.endpoint] });
  await node.start();
});
afterAll(async () => {
  await node?.remove();
  await etcd?.stop();
});

const fire = async (host = 'lb01'): Promise<string> => (await node.trigger('fire', 'x', '--host', host)).stdout;
const jobs = () => node.jobs();
const jobsOf = async (firing: string) => (await jobs()).filter(({ firings }) => firings.includes(firing));
const eventually = (what: string, probe: () => Promise<boolean>) => until(probe, what);
const isTaken = async (firing: string) => (await jobsOf(firing)).length === 1;
const stage = async (firing: string): Promise<string | undefined> => {
  const { stdout, exitCode } = await node.trigger('status', firing, '--json');
  return exitCode === 0 ? (JSON.parse(stdout) as FiringView).outcomes['lb01']?.stage : undefined;
};

const etcdctl = (...args: string[]) =>
  execFileSync('etcdctl', ['--command-timeout=60s', '--dial-timeout=60s', ...args], {
    env: { PATH: process.env['PATH'], ETCDCTL_API: '3' },
    stdio: 'pipe',
  });
/** From 3.6 on `etcdutl` restores. */
const restore = (snapshot: string): void => {
  const data = join(etcd.folder, 'data');
  rmSync(data, { recursive: true });
  const peer = `http://127.0.0.1:${etcd.ports.peer}`;
  etcdctl(
    ...['snapshot', 'restore', snapshot, '--data-dir', data, '--name', 'test', '--initial-cluster', `test=${peer}`],
    ...['--initial-advertise-peer-urls', peer, '--initial-cluster-token', 'restored'],
  );
};

it('B11: with etcd restored from a snapshot, finished runs are answered again, accepted ones run, and later firings are lost', async () => {
  await node.trigger('queue', 'pause');
  const owedThen = await fire();
  await eventually('the first firing to be taken', () => isTaken(owedThen));
  const snapshot = join(etcd.folder, 'snapshot.db');
  etcdctl('--endpoints', etcd.endpoint, 'snapshot', 'save', snapshot);
  expect(existsSync(snapshot)).toBe(true);
  await node.trigger('queue', 'resume');
  await eventually('its end to be recorded', async () => (await stage(owedThen)) === 'finished');

  await node.trigger('queue', 'pause');
  const taken = await fire();
  const owedToOther = await fire('lb02');
  await eventually('the second firing to be taken', () => isTaken(taken));
  await etcd.kill();
  restore(snapshot);
  await etcd.start();

  await eventually('the old end to be recorded anew', async () => (await stage(owedThen)) === 'finished');
  expect(await jobsOf(owedThen)).toHaveLength(1);
  await node.trigger('queue', 'resume');
  await eventually('what was taken to run', async () => (await jobsOf(taken))[0]?.state === 'finished');
  expect(await jobsOf(taken)).toMatchObject([{ result: 'succeeded' }]);
  for (const firing of [taken, owedToOther])
    expect(await node.trigger('status', firing, '--json')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('firing-not-found'),
    });
  expect(await stage(await fire())).toBeDefined();
});
