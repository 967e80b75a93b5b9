import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FiringView } from '../../src/api/contract/firings.ts';
import type { HealthView } from '../../src/api/contract/health.ts';
import type { NodeView } from '../../src/api/contract/nodes.ts';
import { call } from '../support/api.ts';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { createNode, root, type TestNode } from '../support/node.ts';
import { until } from '../support/wait.ts';

describe('the daemon', () => {
  let etcd: TestEtcd;
  let node: TestNode;

  beforeAll(async () => {
    etcd = await startEtcd();
    node = createNode({ name: 'lb01', etcd: [etcd.endpoint], watch: 'run_cmd = "true"\nallow = ["puppet", "echo"]' });
    await node.start();
  });
  afterAll(async () => {
    await node?.remove();
    await etcd?.stop();
  });

  const job = (id: string) => node.job(id);
  const gated = (name: string) => [
    '--',
    'sh',
    '-c',
    `echo begun; until [ -e ${join(node.dir, name)} ] || [ ! -d ${node.dir} ]; do sleep 0.02; done; echo done; exit 3`,
  ];
  const addRunning = async (name: string): Promise<string> => {
    const id = (await node.trigger('queue', 'add', ...gated(name))).stdout.trim();
    await until(async () => (await job(id)).state === 'running', 'the job to run');
    return id;
  };

  it.each([
    ['TERM', () => node.stop()],
    ['KILL', () => node.crash()],
  ])('a daemon ended by %s leaves its job running, and its next start collects the result', async (name, end) => {
    const id = await addRunning(`gate-${name}`);
    const before = await job(id);
    const code = await end();
    if (name === 'TERM') expect(code).toBe(0);
    expect(await node.trigger('queue')).toMatchObject({ exitCode: 3 });
    await node.start();
    expect(await job(id)).toMatchObject({ state: 'running', started_at: before.started_at, attempt: 1 });
    const next = (await node.trigger('queue', 'add', '--', 'true')).stdout.trim();
    writeFileSync(join(node.dir, `gate-${name}`), '');
    expect(await node.trigger('queue', 'wait', id)).toMatchObject({ exitCode: 3 });
    expect((await node.trigger('queue', 'cat', id)).stdout).toBe('begun\ndone');
    await node.trigger('queue', 'wait', next);
    const [ended, after] = await Promise.all([job(id), job(next)]);
    expect(ended).toMatchObject({ result: 'failed', exit_code: 3, attempt: 1 });
    expect(Date.parse(after.started_at ?? '')).toBeGreaterThanOrEqual(Date.parse(ended.finished_at ?? ''));
  });

  it('the daemon collects a job that ended while no daemon ran', async () => {
    const id = await addRunning('gate-alone');
    await node.crash();
    writeFileSync(join(node.dir, 'gate-alone'), '');
    const status = join(await (async () => `${node.dir}/state/jobs/${id}`)(), 'status.json');
    await until(() => existsSync(status), 'the runner to write the ending');
    await node.start();
    await until(async () => (await job(id)).state === 'finished', 'the ending to be collected');
    expect(await job(id)).toMatchObject({ result: 'failed', exit_code: 3 });
  });

  it('a second daemon on the same state folder refuses to run and names the first', async () => {
    const second = await execa(join(root, 'bin/triggerd'), ['--config', node.configFile], { reject: false });
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toMatch(/triggerd: .*(already|uses|answers)/i);
    expect((await node.json<HealthView[]>('nodes')).length).toBe(1);
  });

  it('the daemon reloads on HUP what it can, names what it cannot, and changes nothing for a wrong file', async () => {
    const text = readFileSync(node.configFile, 'utf8');
    writeFileSync(
      node.configFile,
      text.replace('allow = ["puppet", "echo"]', 'allow = ["puppet"]').replace('"10s"', '"3s"'),
    );
    node.signal('SIGHUP');
    await until(() => node.log().some((line) => line.msg === 'Reloaded the configuration'), 'the reload');
    expect(node.log().find((line) => String(line.msg).includes('next restart'))).toMatchObject({ sections: ['etcd'] });
    const refused = await node.trigger(
      'fire',
      'test',
      '--host',
      'lb01',
      '--plugin',
      'echo',
      '--wait',
      '--timeout',
      '2m',
    );
    expect(refused).toMatchObject({ exitCode: 4, stdout: expect.stringMatching(/lb01.*skipped.*allow/) });
    writeFileSync(node.configFile, '[node]\nnaem = "x"\n');
    node.signal('SIGHUP');
    await until(() => node.log().some((line) => String(line.msg).includes('old one stays')), 'the refusal');
    writeFileSync(node.configFile, text);
    node.signal('SIGHUP');
    await until(
      () => node.log().filter((line) => line.msg === 'Reloaded the configuration').length === 2,
      'the second reload',
    );
    const allowed = await node.trigger(
      'fire',
      'test',
      '--host',
      'lb01',
      '--plugin',
      'echo',
      '--arg',
      'text=ü',
      '--wait',
    );
    expect(allowed).toMatchObject({ exitCode: 0 });
  });

  it('a queued job runs the command that it shows, whatever run_cmd has become', async () => {
    const text = readFileSync(node.configFile, 'utf8');
    const reloads = () => node.log().filter((line) => line.msg === 'Reloaded the configuration').length;
    const configure = async (config: string): Promise<void> => {
      const before = reloads();
      writeFileSync(node.configFile, config);
      node.signal('SIGHUP');
      await until(() => reloads() > before, 'the reload');
    };
    const withCommand = (word: string) => text.replace(/run_cmd = ".*"/, `run_cmd = "/bin/echo ${word}"`);
    await configure(withCommand('before'));
    await node.trigger('queue', 'pause');
    const add = async () => (await node.trigger('queue', 'add', '--plugin', 'puppet')).stdout.trim();
    const first = await add();
    await configure(withCommand('after'));
    const second = await add();
    await node.trigger('queue', 'resume');
    await node.trigger('queue', 'wait', second);
    expect((await node.trigger('queue', 'cat', first)).stdout).toBe('before');
    expect((await node.trigger('queue', 'cat', second)).stdout).toBe('after');
    expect([await job(first), await job(second)]).toMatchObject([
      { command: '/bin/echo before' },
      { command: '/bin/echo after' },
    ]);
    await configure(text);
  });

  it('the daemon starts without etcd, says so once, runs local jobs, and catches up later', async () => {
    await node.stop();
    const fired = await fireWhileAway(node, etcd);
    const lines = node.log().length;
    await etcd.kill();
    await node.start();
    const away = () =>
      node
        .log()
        .slice(lines)
        .filter((line) => line.level >= 40 && /Cannot watch the inbox/.test(line.msg));
    await until(() => away().length === 1, 'the word that etcd is away');
    expect(await call<HealthView>(node.socket, 'GET', '/v1/health')).toMatchObject({ etcd: { connected: false } });
    expect((await node.trigger('queue', 'add', '--', 'true')).exitCode).toBe(0);
    expect(await node.trigger('status')).toMatchObject({ exitCode: 3, stderr: expect.stringMatching(/etcd/) });
    expect(await node.trigger('fire', 'x', '--host', 'lb01')).toMatchObject({ exitCode: 3 });
    await etcd.start();
    const status = await until(async () => {
      const { stdout, exitCode } = await node.trigger('status', fired, '--json');
      const found = exitCode === 0 ? (JSON.parse(stdout) as FiringView) : undefined;
      return found?.outcomes['lb01']?.stage === 'finished' ? found : undefined;
    }, 'the firing to be caught up with');
    expect(status.outcomes['lb01']).toMatchObject({ result: 'succeeded', exit_code: 0 });
    expect(away()).toHaveLength(1);
  });

  it('the daemon’s node is shown to others, and a misspelt host draws a warning', async () => {
    // Its presence may still be on its way: etcd was away.
    const nodes = await until(async () => {
      const found = await node.json<NodeView[]>('nodes');
      return found.some((each) => each.node === 'lb01' && each.present) && found;
    }, 'this node to be present');
    expect(nodes).toMatchObject([
      { node: 'lb01', present: true, version: expect.any(String), roles: ['watch'] },
      { node: 'web01', present: false, first_seen_at: expect.any(String) },
    ]);
    const fired = await node.trigger('fire', 'typo', '--host', 'lb0l', '--ttl', '1h');
    expect(fired).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/lb0l/) });
  });
});

/** A second daemon of the same fleet fires at the first, which is down. */
const fireWhileAway = async (node: TestNode, etcd: TestEtcd): Promise<string> => {
  const other = createNode({ name: 'web01', etcd: [etcd.endpoint] });
  try {
    await other.start();
    return (await other.json<{ id: string }>('fire', 'while away', '--host', node.name)).id;
  } finally {
    await other.remove();
  }
};
