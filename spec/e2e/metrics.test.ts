import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, startEtcd, type TestEtcd } from '../support/etcd.ts';
import { readExposition, seriesValue } from '../support/exposition.ts';
import { createNode, type TestNode } from '../support/node.ts';
import { until } from '../support/wait.ts';

describe('metrics', () => {
  let etcd: TestEtcd;
  let node: TestNode;
  let port: number;

  beforeAll(async () => {
    etcd = await startEtcd();
    port = await freePort();
    const watch = 'run_cmd = "true"\nallow = ["echo"]';
    node = createNode({ name: 'lb01', etcd: [etcd.endpoint], watch, config: `[http]\nlisten = "127.0.0.1:${port}"` });
    await node.start();
  });
  afterAll(async () => {
    await node?.remove();
    await etcd?.stop();
  });

  const overHttp = async (path = '/metrics', method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method });
  const families = async () => readExposition(await (await overHttp()).text());
  const value = async (name: string, labels: Readonly<Record<string, string>> = {}) =>
    seriesValue(await families(), name, labels);

  it('metrics count jobs and firings, with the same values over HTTP and on the control socket', async () => {
    const firing = ['--host', 'lb01', '--plugin', 'echo', '--wait'];
    for (const trigger of ['one', 'two'])
      expect(await node.trigger('fire', trigger, ...firing)).toMatchObject({ exitCode: 0 });
    await node.trigger('fire', 'refused', '--host', 'lb01', '--plugin', 'command', '--wait');
    await node.trigger('queue', 'add', '--', 'sh', '-c', 'exit 3');
    await node.trigger('queue', 'wait');
    // What etcd has taken is counted when etcd's answer is here; the watch that `--wait` goes by may be faster.
    const stageNow = (stage: string) => value('triggerd_firings_total', { stage });
    await until(async () => (await stageNow('finished')) === 2 && (await stageNow('skipped')) === 1, 'the outcomes');
    const found = await families();
    const jobs = (plugin: string, result: string) =>
      seriesValue(found, 'triggerd_jobs_total', { queue: 'default', plugin, result });
    expect([jobs('echo', 'succeeded'), jobs('command', 'failed')]).toEqual([2, 1]);
    expect(seriesValue(found, 'triggerd_firings_total', { stage: 'deferred' })).toBe(0);
    expect(seriesValue(found, 'triggerd_firing_start_seconds_count')).toBe(2);
    expect(seriesValue(found, 'triggerd_job_duration_seconds_count', { plugin: 'echo' })).toBe(2);
    expect(seriesValue(found, 'triggerd_etcd_up')).toBe(1);
    await until(async () => (await value('triggerd_sweeper_holder')) === 1, 'the only node to sweep');
    const overSocket = readExposition(await textOf(node.socket, '/metrics'));
    expect([...overSocket.keys()]).toEqual([...found.keys()]);
    expect(seriesValue(overSocket, 'triggerd_firing_start_seconds_sum')).toBe(
      seriesValue(found, 'triggerd_firing_start_seconds_sum'),
    );
  });

  it('metrics show a queue as it is', async () => {
    const gate = join(node.dir, 'gate');
    const held = ['--', 'sh', '-c', `until [ -e ${gate} ] || [ ! -d ${node.dir} ]; do sleep 0.02; done`];
    const jobs = (state: string) => value('triggerd_queue_jobs', { queue: 'default', state });
    await node.trigger('queue', 'add', ...held);
    await until(async () => (await jobs('running')) === 1, 'the first to run');
    await node.trigger('queue', 'add', ...held);
    await node.trigger('queue', 'pause');
    expect([await jobs('queued'), await jobs('deferred')]).toEqual([1, 0]);
    expect(await value('triggerd_queue_paused', { queue: 'default' })).toBe(1);
    expect(await value('triggerd_queue_oldest_seconds', { queue: 'requests' })).toBe(0);
    const oldest = () => value('triggerd_queue_oldest_seconds', { queue: 'default' });
    const before = (await oldest()) ?? 0;
    await until(async () => ((await oldest()) ?? 0) > before, 'it to grow older');
    await node.trigger('queue', 'resume');
    writeFileSync(gate, '');
    await until(async () => (await jobs('queued')) === 0 && (await jobs('running')) === 0, 'an empty queue');
    expect(await oldest()).toBe(0);
  });

  it('the metrics port serves health and metrics only, and changes nothing', async () => {
    expect(await (await overHttp('/v1/health')).json()).toMatchObject({ node: 'lb01' });
    expect((await overHttp()).headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const others = [
      ['/v1/jobs', 'GET'],
      ['/v1/jobs', 'POST'],
      ['/v1/events', 'GET'],
      ['/v1/queues/default/pause', 'POST'],
      ['/metrics', 'POST'],
    ] as const;
    for (const [path, method] of others) expect((await overHttp(path, method)).status, path).toBe(404);
  });

  it('metrics say that etcd is away, and how much waits for it', async () => {
    await etcd.kill();
    await until(async () => (await value('triggerd_etcd_up')) === 0, 'the outage');
    await etcd.start();
    await until(async () => (await value('triggerd_etcd_up')) === 1, 'its end');
  });

  it('a metrics port that is in use ends the start with a message that names it', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const listen = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const other = createNode({ name: 'lb02', etcd: [etcd.endpoint], config: `[http]\nlisten = "${listen}"` });
    try {
      await expect(other.start()).rejects.toThrow(new RegExp(`http-unusable|\\[http\\] listen = .${listen}`));
    } finally {
      await other.remove();
      taken.close();
    }
  });
});

const textOf = (socketPath: string, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = request({ socketPath, path }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => resolve(text));
    });
    sent.once('error', reject);
    sent.end();
  });
