import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/bus.ts';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { temporaryFolder } from '../support/journal.ts';
import { liveClient } from '../support/live-worker.ts';
import { lastingWorker, type WorkerProcess } from '../support/worker-process.ts';

/** A real broker, a real worker with all shipped plugins, and a member who may use them all. */
describe('a member who may ask a worker for the shipped plugins', () => {
  let at: TestBroker;
  let etcd: TestEtcd;
  let worker: WorkerProcess;
  beforeAll(async () => {
    [at, etcd] = await Promise.all([startTestBroker({}), startEtcd()]);
    at.registry.worker('team1', 'demo01').service('team1', 'demoservice', ['demo01']);
    worker = lastingWorker([at.address], { config: `[etcd]\nendpoints = ["${etcd.endpoint}"]` });
    await worker.start();
    await worker.says('Found service demoservice');
  });
  afterAll(async () => {
    await worker?.remove();
    await at?.broker.stop();
    await etcd?.stop();
  });

  const ask = async (plugin: string, args: Record<string, string>, payload = ''): Promise<string> => {
    const client = await liveClient(at.address);
    const asked = client.request({ service: 'demoservice', plugin, args, payload });
    const lines: string[] = [];
    try {
      for await (const { line } of asked.lines) lines.push(line);
      await asked.result;
    } catch (error) {
      lines.push((error as Error).message);
    }
    return lines.join('\n');
  };

  it('process/kill over the bus signals neither process 1 nor every process by a number that the kernel reads differently', async () => {
    const canary = spawn('sleep', ['1000']);
    onTestFinished(() => void canary.kill('SIGKILL'));
    // CONT does nobody harm where this fails; 2^32 + the canary is the canary to the kernel.
    for (const pid of ['4294967297', '4294967295', '-1', '0', String(2 ** 32 + Number(canary.pid))])
      expect(await ask('process/kill', { pid, signal: 'CONT' })).toMatch(
        /“pid” must be a whole number from 1 to 4194304/,
      );
    expect(await ask('process/kill', { pid: '1', signal: 'CONT' })).toContain('process 1 is never sent a signal');
  });

  it('log over the bus writes only into the folder that this machine allows it', async () => {
    const file = join(temporaryFolder(), 'passwd');
    expect(await ask('log', { path: file, text: 'x' })).toContain('is not below /var/log');
    expect(await ask('log', { path: `/var/log/../..${file}`, text: 'x' })).toContain('a path without . and ..');
    expect(await ask('log', { path: file, root: '/', text: 'x' })).toContain(
      '“root” is fixed by this node’s plugin.toml',
    );
    expect(existsSync(file)).toBe(false);
  });

  it('forward over the bus reaches etcd neither by its address nor by what a request says is allowed', async () => {
    const url = `${etcd.endpoint}/v3/kv/range`;
    const body = JSON.stringify({ key: 'AA==', range_end: 'AA==' });
    expect(await ask('forward', { url }, body)).toContain("is etcd's, which is not sent anything");
    expect(await ask('forward', { url: url.replace('127.0.0.1', 'localhost') }, body)).toContain("is etcd's");
    expect(await ask('forward', { url: url.replace('127.0.0.1', '[::ffff:127.0.0.1]') }, body)).toMatch(
      /is etcd's|nothing is sent there/,
    );
    expect(await ask('forward', { url, allow: '127.0.0.1' }, body)).toContain('“allow” is fixed');
  });
});
