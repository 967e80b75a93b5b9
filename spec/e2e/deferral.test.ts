import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, describe, expect, it } from 'vitest';
import { createNode, type TestNode } from '../support/node.ts';
import { createPuppet, type TestPuppet } from '../support/puppet.ts';
import { type EtcdPlace, test } from '../support/test.ts';
import { until } from '../support/wait.ts';

/** A run that cannot really happen is not done. Real `puppet agent`, its real locks; there is no server, so a run that does happen fails. */
describe('an agent that cannot run now', () => {
  let etcd: EtcdPlace;
  let node: TestNode;
  let puppet: TestPuppet;
  let lock: string;
  let disabled: string;
  let sslLock: string;

  test.beforeAll(async ({ etcd: place }) => {
    etcd = place;
    puppet = createPuppet('lb01', etcd);
    const agent = [puppet.program, 'agent', '--test', '--server', '127.0.0.1', '--serverport', '1', ...puppet.options];
    node = createNode({ name: 'lb01', etcd, watch: `run_cmd = "${agent.join(' ')}"` });
    const asked = await execa(puppet.program, [
      'config',
      'print',
      '--section',
      'agent',
      ...puppet.options,
      'agent_catalog_run_lockfile',
      'agent_disabled_lockfile',
      'ssl_lockfile',
    ]);
    const settings = new Map(asked.stdout.split('\n').map((line) => line.split(' = ') as [string, string]));
    lock = settings.get('agent_catalog_run_lockfile') ?? '';
    disabled = settings.get('agent_disabled_lockfile') ?? '';
    sslLock = settings.get('ssl_lockfile') ?? '';
    expect([lock, disabled, sslLock].every((path) => path.startsWith(puppet.dir))).toBe(true);
    for (const path of [lock, sslLock]) mkdirSync(dirname(path), { recursive: true });
    await node.start();
  });
  afterAll(async () => {
    await node?.remove();
    puppet?.remove();
  });

  const fire = async (): Promise<string> => (await node.json<{ id: string }>('fire', 'test', '--host', 'lb01')).id;
  const outcome = async (id: string) => (await node.firing(id)).outcomes['lb01'];
  const reaches = (id: string, stage: string) =>
    until(async () => {
      const found = await outcome(id);
      return found?.stage === stage ? found : undefined;
    }, `${id} to be ${stage}`);
  /** It ran: without a server that is a failure, but it is a result. */
  const hasRun = (id: string) =>
    reaches(id, 'finished').then((found) => expect(found).toMatchObject({ result: 'failed', exit_code: 1 }));

  it('a job is deferred with the administrator’s message while the agent is disabled; its slot is free, and it runs once enabled', async () => {
    await execa(puppet.program, ['agent', ...puppet.options, '--disable', 'until the move has ended']);
    expect(existsSync(disabled)).toBe(true);
    const id = await fire();
    expect(await reaches(id, 'deferred')).toMatchObject({
      reason: 'Puppet agent is disabled: until the move has ended',
      attempt: 0,
    });
    const other = (await node.trigger('queue', 'add', '--', 'true')).stdout.trim();
    expect(await node.trigger('queue', 'wait', other)).toMatchObject({ exitCode: 0 });
    expect((await node.trigger('queue')).stdout).toMatch(/queued.*until the move has ended/s);
    await execa(puppet.program, ['agent', ...puppet.options, '--enable']);
    await hasRun(id);
  });

  it.each([
    ['the agent’s lock', () => lock],
    ['the lock of the agent’s certificates', () => sslLock],
  ])('a job is deferred while a live run holds %s, and runs when the lock is gone', async (what, path) => {
    const live = spawn('ruby', ['-e', 'sleep 300', 'puppet', 'agent'], { stdio: 'ignore' });
    try {
      writeFileSync(path(), String(live.pid));
      const id = await fire();
      expect(await reaches(id, 'deferred')).toMatchObject({
        reason: `another Puppet run holds ${what} (pid ${live.pid})`,
      });
      const [job] = (await node.jobs()).filter((each) => each.state === 'queued');
      expect(job).toMatchObject({ deferred: true, attempt: 0 });
      rmSync(path());
      await hasRun(id);
    } finally {
      await end(live);
    }
  });

  it('a killed process that left its lock behind does not defer a job', async () => {
    const live = spawn('ruby', ['-e', 'sleep 300', 'puppet', 'agent'], { stdio: 'ignore' });
    writeFileSync(lock, String(live.pid));
    const id = await fire();
    await reaches(id, 'deferred');
    await end(live);
    await hasRun(id);
  });

  it.each([
    ['a dead process’s', async () => String((await deadPid()) ?? 0)],
    ['another program’s with the same PID', async () => String(process.pid)],
    ['full of garbage', async () => 'garbage\n'],
    ['empty', async () => ''],
  ])('a lock that is %s defers no job', async (_what, content) => {
    writeFileSync(lock, await content());
    await hasRun(await fire());
    rmSync(lock, { force: true });
  });

  it('a deferral survives a restart of the daemon', async () => {
    writeFileSync(disabled, JSON.stringify({ disabled_message: 'still' }));
    const id = await fire();
    await reaches(id, 'deferred');
    await node.crash();
    await node.start();
    expect(await outcome(id)).toMatchObject({ stage: 'deferred', reason: 'Puppet agent is disabled: still' });
    rmSync(join(disabled));
    await hasRun(id);
  });
});

const end = async (child: ChildProcess): Promise<void> => {
  const over = once(child, 'exit');
  child.kill('SIGKILL');
  await over;
};

const deadPid = async (): Promise<number | undefined> => {
  const child = spawn('true');
  await once(child, 'exit');
  return child.pid;
};
