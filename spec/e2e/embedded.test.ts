import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/etcd.ts';
import { createNode, type TestNode } from '../support/node.ts';
import { createPuppet, type TestPuppet } from '../support/puppet.ts';
import { until } from '../support/wait.ts';

/** A node with `[etcd] embedded = true` that an earlier version ran: its etcd listened on http, and so say all settings. */
describe('an embedded etcd from before it had TLS', () => {
  let port: number;
  let node: TestNode;
  let puppet: TestPuppet;
  const env: Record<string, string> = {};
  const spool = () => join(node.dir, 'state', 'spool');
  const spooled = () => readdirSync(spool()).filter((name) => name.endsWith('.json'));
  const fire = (name: string) =>
    puppet.apply(
      puppet.manifest('site.pp', `notify { 'x': notify => Trigger['${name}'] } trigger { '${name}': hosts => 'lb01' }`),
    );
  const hasRun = (name: string) =>
    until(async () => {
      const firings = await node.json<{ trigger: string; outcomes: Record<string, { stage: string }> }[]>('status');
      return firings.some(({ trigger, outcomes }) => trigger === name && outcomes['lb01']?.stage === 'finished');
    }, `the end of “${name}”`);

  beforeAll(async () => {
    port = await freePort();
    node = createNode({ name: 'lb01', etcd: [`http://127.0.0.1:${port}`], env });
    puppet = createPuppet('lb01', [`http://127.0.0.1:${port}`], { spool: spool(), socket: node.socket });
  });
  afterAll(async () => {
    await node?.remove();
    puppet?.remove();
  });

  it('an embedded etcd without TLS keeps its data on upgrade: what was owed runs, and what ran is known', async () => {
    const open = await startOpenEtcd(join(node.dir, 'state', 'etcd'), port);
    await node.start();
    expect(await node.trigger('fire', 'done before', '--host', 'lb01', '--wait')).toMatchObject({ exitCode: 0 });
    await node.stop();
    const other = createNode({ name: 'web01', etcd: [`http://127.0.0.1:${port}`] });
    await other.start();
    expect(await other.trigger('fire', 'owed before', '--host', 'lb01')).toMatchObject({ exitCode: 0 });
    await other.remove();
    const gone = once(open, 'exit');
    open.kill('SIGTERM');
    await gone;

    env['TRIGGERD_ETCD_EMBEDDED'] = 'true';
    await node.start();
    await hasRun('done before');
    await hasRun('owed before');
    expect((await node.trigger('doctor')).stdout).toMatch(
      new RegExp(
        `^ok +etcd +https://127\\.0\\.0\\.1:${port}: etcd .*^ok +certificates .*/ca.pem .*^ok +certificates .*/client.pem `,
        'ms',
      ),
    );
  });

  it('Puppet’s provider reaches the upgraded etcd although client.json still says http', async () => {
    expect((await fire('by the provider')).output).toMatch(/fired \w{26} to 1 node/);
    await hasRun('by the provider');
  });

  it('a provider that knows of no TLS delivers its firings to the upgraded etcd through the spool', async () => {
    // What others may write is not believed, so that the provider does as its predecessor: http.
    const settings = join(node.dir, 'state', 'etcd', 'client.json');
    chmodSync(settings, 0o666);
    const { output } = await fire('by an old provider');
    expect(output).toMatch(/127\.0\.0\.1:\d+: no answer/);
    chmodSync(settings, 0o600);
    await until(() => spooled().length === 0, 'the spool to be drained');
    await hasRun('by an old provider');
  });

  it('an embedded etcd that is no longer used leaves nothing that the provider could find', async () => {
    const settings = join(node.dir, 'state', 'etcd', 'client.json');
    expect(JSON.parse(readFileSync(settings, 'utf8'))).toMatchObject({ endpoints: [`https://127.0.0.1:${port}`] });
    await node.stop();
    delete env['TRIGGERD_ETCD_EMBEDDED'];
    await node.start();
    expect(existsSync(settings)).toBe(false);
  });
});

/** As an earlier version started it. */
const startOpenEtcd = async (folder: string, port: number): Promise<ChildProcess> => {
  mkdirSync(folder, { mode: 0o700 });
  const [client, peer] = [`http://127.0.0.1:${port}`, 'http://127.0.0.1:0'];
  const etcd = spawn('etcd', [
    ...['--name', 'triggerd', '--data-dir', join(folder, 'data')],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `triggerd=${peer}`],
  ]);
  process.once('exit', () => etcd.kill('SIGKILL'));
  const isHealthy = () =>
    fetch(`${client}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(isHealthy, 'the open etcd');
  return etcd;
};
