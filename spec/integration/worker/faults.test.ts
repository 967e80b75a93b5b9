import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { curveKeyPair } from 'zeromq';
import type { Chunk, RunningRequest } from '../../../src/client/client.ts';
import { FakeRegistry, startTestBroker, type TestBroker } from '../../support/bus.ts';
import { liveClient, startLiveWorker } from '../../support/live-worker.ts';
import { startProxy, type TcpProxy } from '../../support/proxy.ts';
import { writePlugin } from '../../support/requests.ts';
import { until } from '../../support/wait.ts';

const registry = (): FakeRegistry => new FakeRegistry().worker('team1', 'demo01').service('team1', 'demo', ['demo01']);

const startBroker = async (options: Parameters<typeof startTestBroker>[0] = {}): Promise<TestBroker> => {
  const at = await startTestBroker({ registry: registry(), drainMs: 200, ...options });
  onTestFinished(() => at.broker.stop());
  return at;
};

/** The broker behind a link that can be broken. */
const throughProxy = async ({ address }: TestBroker) => {
  const proxy: TcpProxy = await startProxy(Number(new URL(address.endpoint.replace('tcp', 'http')).port));
  onTestFinished(() => proxy.close());
  return { proxy, address: { ...address, endpoint: `tcp://127.0.0.1:${proxy.port}` } };
};

const textOf = async ({ output }: RunningRequest): Promise<string> => {
  const chunks: Chunk[] = [];
  for await (const chunk of output) chunks.push(chunk);
  return Buffer.concat(chunks.map(({ bytes }) => bytes)).toString();
};

/** Prints `begun`, then waits until the folder holds `go`. */
const waiting = (folder: string): string =>
  `echo begun; echo x >> ${folder}/runs; while [ ! -e ${folder}/go ]; do sleep 0.02; done; echo done`;

describe('a broker that comes back on its address', () => {
  it('a broker that returns on its address has its worker again without action', async () => {
    const keys = curveKeyPair();
    const first = await startBroker({ keys });
    const listen = first.broker.endpoint;
    const { serves, told, folder } = await startLiveWorker([first.address]);
    writePlugin(folder, 'plain', 'echo here', '');
    await serves();
    await first.broker.stop();
    const second = await startBroker({ keys, listen });
    await told('connected', 2);
    const client = await liveClient(second.address);
    expect(await textOf(client.request({ service: 'demo', plugin: 'plain' }))).toBe('here\n');
  });
});

describe('a link that breaks', () => {
  it('a broken link does not end a running request: the broker gets its output from the first byte, and it has run once', async () => {
    const at = await startBroker();
    const { proxy, address } = await throughProxy(at);
    const { folder, serves, told } = await startLiveWorker([address]);
    writePlugin(folder, 'wait', waiting(folder), '');
    await serves();
    const client = await liveClient(at.address);
    const asked = client.request({ service: 'demo', plugin: 'wait' });
    const text = textOf(asked);
    await until(() => at.observer.lines.some((line) => line.startsWith('received')), 'the request');
    await told('request');
    proxy.cut();
    await told('connected', 2);
    writeFileSync(join(folder, 'go'), '');
    expect(await text).toBe('begun\ndone\n');
    expect(await asked.result).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('x\n');
  });

  it('a silent link is noticed on both sides, and the worker serves again when it works', async () => {
    const at = await startBroker({ limits: { heartbeatMs: 300 } });
    const { proxy, address } = await throughProxy(at);
    const { folder, serves, told, worker } = await startLiveWorker([address]);
    writePlugin(folder, 'plain', 'echo here', '');
    await serves();
    proxy.stall();
    await told('lost');
    await until(() => at.observer.lines.some((line) => line.startsWith('offline')), 'the broker to notice');
    proxy.resume();
    await until(() => worker.isServing, 'the worker to serve again');
    const client = await liveClient(at.address);
    expect(await textOf(client.request({ service: 'demo', plugin: 'plain' }))).toBe('here\n');
  });
});

describe('two brokers', () => {
  it('a worker serves two brokers; a request whose broker dies is answered by the other one, and has run once', async () => {
    const shared = registry();
    const [one, two] = [
      await startBroker({ registry: shared, id: 'one' }),
      await startBroker({ registry: shared, id: 'two' }),
    ];
    one.brokers.push(two.address);
    two.brokers.push(one.address);
    const { proxy, address } = await throughProxy(one);
    const { folder, told, jobs } = await startLiveWorker([one.address]);
    writePlugin(folder, 'wait', waiting(folder), '');
    await told('connected', 2);
    const client = await liveClient(address, two.address);
    const asked = client.request({ service: 'demo', plugin: 'wait' });
    const text = textOf(asked);
    await until(() => jobs.running().length === 1, 'the request to run');
    proxy.refuse();
    proxy.cut();
    await until(() => two.observer.lines.some((line) => line.startsWith('received')), 'the other broker to be asked');
    writeFileSync(join(folder, 'go'), '');
    expect(await text).toBe('begun\ndone\n');
    expect(await asked.result).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('x\n');
  });
});
