/**
 * Services whose workers and brokers die. What holds in each case: every request ends, with an answer or with a reason
 * why there is none, and none is carried out twice.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Client } from '../../src/client/client.ts';
import { writePlugin } from '../support/requests.ts';
import { password, type ServicesSite, startSite } from '../support/services-site.ts';
import { until } from '../support/wait.ts';
import { type WorkerProcess, workerProcess } from '../support/worker-process.ts';

const identities = ['w1', 'w2', 'w3'] as const;
const tokens = new Map<string, string>();
let site: ServicesSite;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'services-faults-'));
  // Writes down that it begins, before anything can go wrong.
  writePlugin(folder, 'record', `read key; echo "$key" >> ${folder}/runs; sleep 0.1; echo "did $key"`);
  site = await startSite({ brokers: 2 });
  for (const identity of identities) tokens.set(identity, await site.addWorker(identity));
  const statements = ['pool', 'turns', 'all'].flatMap((service) => [
    `set services name ${service}`,
    ...identities.map((identity) => `set services ${service} workers add ${identity}`),
  ]);
  const algorithms = ['set services turns algorithm serial', 'set services all algorithm mirror'];
  const made = await site.run('triggerfs-cli', [], [...statements, ...algorithms].join('\n'));
  expect(made).toMatchObject({ exitCode: 0, stderr: '' });
}, 120_000);
afterAll(async () => {
  await site?.remove();
  rmSync(folder, { recursive: true, force: true });
});

let workers: Map<string, WorkerProcess>;
beforeEach(async () => {
  rmSync(join(folder, 'runs'), { force: true });
  const started = identities.map((identity) => {
    const token = tokens.get(identity) ?? '';
    return [identity, workerProcess(site.brokers, { identity, token, plugins: join(folder, 'plugins') })] as const;
  });
  workers = new Map(started);
  await Promise.all([...workers.values()].map((worker) => worker.start()));
  await Promise.all([...workers.values()].map((worker) => worker.says('Connected', 2)));
}, 60_000);

const runsOf = (key: string): number => runs().filter((each) => each === key).length;
const runs = (): string[] =>
  existsSync(join(folder, 'runs')) ? readFileSync(join(folder, 'runs'), 'utf8').split('\n').slice(0, -1) : [];

const connect = () => Client.connect({ brokers: site.brokers, team: 'team1', identity: 'hp', secret: password });

interface Told {
  readonly key: string;
  /** `did …`, or the code of the refusal. */
  readonly outcome: string;
}

const ask = async (client: Client, service: string, key: string): Promise<Told> => {
  const texts: string[] = [];
  try {
    const asked = client.request({ service, plugin: 'record', payload: `${key}\n` });
    for await (const { line } of asked.lines) texts.push(line);
    await asked.result;
    return { key, outcome: texts.join('\n') };
  } catch (error) {
    return { key, outcome: (error as { code?: string }).code ?? String(error) };
  }
};

/** So many requests, a few at a time; `meanwhile` happens when a third of them have ended. */
const stream = async (client: Client, count: number, meanwhile: () => Promise<unknown>): Promise<Told[]> => {
  const told: Told[] = [];
  let next = 0;
  let happening: Promise<unknown> | undefined;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const key = `key${++next}`;
      told.push(await ask(client, 'pool', key));
      if (told.length >= count / 3) happening ??= meanwhile();
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  await happening;
  return told;
};

/** Every one has ended; an answer stands for one run, and no run is a second one. */
const check = (told: readonly Told[], count: number): void => {
  expect(told).toHaveLength(count);
  for (const { key, outcome } of told) {
    if (outcome === `did ${key}`) expect([key, runsOf(key)]).toEqual([key, 1]);
    else {
      expect([key, outcome]).toEqual([key, 'worker-lost']);
      expect(runsOf(key)).toBeLessThanOrEqual(1);
    }
  }
};

describe('a stream of requests', () => {
  it('loses at most what ran on a worker that is killed', { timeout: 60_000 }, async () => {
    await using client = await connect();
    const told = await stream(client, 60, async () => workers.get('w2')?.signal('SIGKILL'));
    check(told, 60);
    const lost = told.filter(({ outcome }) => outcome === 'worker-lost');
    // Its slots; each of them may have been filled twice while nobody had noticed.
    expect(lost.length).toBeLessThanOrEqual(8);
  });

  it('is answered by the other broker when one is killed', { timeout: 60_000 }, async () => {
    await using client = await connect();
    const told = await stream(client, 60, async () => {
      await site.brokers[0]?.node.crash();
    });
    check(told, 60);
    expect(told.filter(({ outcome }) => outcome === 'worker-lost')).toEqual([]);
    await site.brokers[0]?.node.start();
    await Promise.all([...workers.values()].map((worker) => worker.says('Connected', 3)));
  });
});

describe('three workers', () => {
  it('of a mirror all answer, and of a serial one after the other', { timeout: 60_000 }, async () => {
    await using client = await connect();
    expect((await ask(client, 'all', 'm1')).outcome).toBe('did m1\ndid m1\ndid m1');
    expect((await ask(client, 'turns', 's1')).outcome).toBe('did s1\ndid s1\ndid s1');
    expect([runsOf('m1'), runsOf('s1')]).toEqual([3, 3]);

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
    expect([runsOf('m2'), runsOf('s2')]).toEqual([2, 2]);
  });
});
