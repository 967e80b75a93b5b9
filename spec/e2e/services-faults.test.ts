/** D1, D2: services whose workers and brokers die. What holds in each case: `spec/support/service-stream.ts`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ask,
  checkTold,
  connectTo,
  keysOf,
  lanes,
  runsOf,
  stream,
  writeRecordPlugin,
} from '../support/service-stream.ts';
import { type ServicesSite, startSite } from '../support/services-site.ts';
import { until } from '../support/wait.ts';
import { lastingWorker, type WorkerProcess } from '../support/worker-process.ts';

const identities = ['w1', 'w2', 'w3'] as const;
let site: ServicesSite;
let folder: string;
const workers = new Map<string, WorkerProcess>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'services-faults-'));
  writeRecordPlugin(folder);
  site = await startSite({ brokers: 2 });
  for (const identity of identities) {
    const token = await site.addWorker(identity);
    workers.set(identity, lastingWorker(site.brokers, { identity, token, plugins: join(folder, 'plugins') }));
  }
  const statements = ['pool', 'turns', 'all'].flatMap((service) => [
    `set services name ${service}`,
    ...identities.map((identity) => `set services ${service} workers add ${identity}`),
  ]);
  const algorithms = ['set services turns algorithm serial', 'set services all algorithm mirror'];
  const made = await site.run('triggerfs-cli', [], [...statements, ...algorithms].join('\n'));
  expect(made).toMatchObject({ exitCode: 0, stderr: '' });
  await Promise.all([...workers.values()].map((worker) => worker.start()));
  await Promise.all([...workers.values()].map((worker) => worker.says('Connected', 2)));
});
afterAll(async () => {
  await Promise.all([...workers.values()].map((worker) => worker.remove()));
  await site?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const runs = (key: string): number => runsOf(folder, key);

describe('a stream of requests', () => {
  it('a stream of requests loses at most the request that ran on a killed worker', async () => {
    await using client = await connectTo(site);
    const keys = keysOf('worker', 60);
    const told = await stream(client, keys, async () => workers.get('w2')?.signal('SIGKILL'));
    const lost = checkTold(folder, told, keys);
    expect(lost.filter(({ why }) => !why?.includes('w2 was lost'))).toEqual([]);
    // What it had then, and nothing is sent to it after that.
    expect(lost.length).toBeLessThanOrEqual(lanes);
    await workers.get('w2')?.start();
    await workers.get('w2')?.says('Connected', 4);
  });

  it('a stream of requests is answered by the other broker when one is killed', async () => {
    await using client = await connectTo(site);
    const keys = keysOf('broker', 60);
    const told = await stream(client, keys, async () => {
      await site.brokers[0]?.node.crash();
    });
    expect(checkTold(folder, told, keys)).toEqual([]);
  });
});

describe('three workers', () => {
  it('all three workers answer a mirror request, and one after the other a serial one', async () => {
    await using client = await connectTo(site);
    expect((await ask(client, 'all', 'm1')).outcome).toBe('did m1\ndid m1\ndid m1');
    expect((await ask(client, 'turns', 's1')).outcome).toBe('did s1\ndid s1\ndid s1');
    expect([runs('m1'), runs('s1')]).toEqual([3, 3]);

    workers.get('w2')?.signal('SIGKILL');
    await workers.get('w2')?.ended();
    /** Of each worker, in the order of their names. */
    const legs = async (service: string, key: string): Promise<string[]> => {
      const asked = client.request({ service, plugin: 'record', payload: `${key}\n`, output: 'discard' });
      const result = await asked.result;
      return result.legs.map((leg) => `${leg.worker} ${leg.result} ${leg.code}`).sort();
    };
    const withoutSecond = ['w1 succeeded null', 'w2 lost no-worker', 'w3 succeeded null'];
    await until(async () => (await legs('all', 'm'))[1] === 'w2 lost no-worker', 'w2 to be missed');
    expect(await legs('all', 'm2')).toEqual(withoutSecond);
    expect(await legs('turns', 's2')).toEqual(withoutSecond);
    expect([runs('m2'), runs('s2')]).toEqual([2, 2]);
  });
});
