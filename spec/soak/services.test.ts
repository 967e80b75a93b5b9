/** D1, D2, D3, D6, D7: streams of requests over two brokers and three workers while one of them, or a link, breaks. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pause } from '../support/faults.ts';
import { startProxy, type TcpProxy } from '../support/proxy.ts';
import { announced, type Random } from '../support/random.ts';
import { checkTold, connectTo, keysOf, stream, writeRecordPlugin } from '../support/service-stream.ts';
import { type ServicesSite, startSite } from '../support/services-site.ts';
import { type WorkerProcess, workerProcess } from '../support/worker-process.ts';

const rounds = Number(process.env['SOAK_ROUNDS'] ?? 20);
const identities = ['w1', 'w2', 'w3'] as const;

let site: ServicesSite;
let folder: string;
const tokens = new Map<string, string>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'services-soak-'));
  writeRecordPlugin(folder);
  site = await startSite({ brokers: 2 });
  for (const identity of identities) tokens.set(identity, await site.addWorker(identity));
  const attach = identities.map((identity) => `set services pool workers add ${identity}`);
  expect(await site.run('triggerfs-cli', [], ['set services name pool', ...attach].join('\n'))).toMatchObject({
    exitCode: 0,
  });
});
afterAll(async () => {
  await site?.remove();
  rmSync(folder, { recursive: true, force: true });
});

interface Stage {
  readonly workers: readonly WorkerProcess[];
  /** Between a worker and a broker. */
  readonly links: readonly TcpProxy[];
}

const startStage = async (): Promise<Stage> => {
  const links: TcpProxy[] = [];
  const workers: WorkerProcess[] = [];
  for (const identity of identities) {
    const own = await Promise.all(site.brokers.map(({ port }) => startProxy(port)));
    links.push(...own);
    const brokers = site.brokers.map(({ key }, at) => ({ endpoint: `tcp://127.0.0.1:${own[at]?.port}`, key }));
    const token = tokens.get(identity) ?? '';
    workers.push(workerProcess(brokers, { identity, token, plugins: join(folder, 'plugins') }));
  }
  await Promise.all(workers.map((worker) => worker.start()));
  await Promise.all(workers.map((worker) => worker.says('Connected', 2)));
  return { workers, links };
};

type Fault = (stage: Stage, random: Random) => Promise<void>;

const killWorker: Fault = async ({ workers }, random) => {
  const worker = random.pick(workers);
  worker.signal('SIGKILL');
  await worker.ended();
  await pause(random.between(0, 500));
  await worker.start();
  await worker.says('Connected');
};

const killBroker: Fault = async (_stage, random) => {
  const { node } = random.pick(site.brokers);
  await node.crash();
  await pause(random.between(0, 2_000));
  await node.start();
};

/** Longer than the liveness of two seconds, or shorter. */
const freezeWorker: Fault = async ({ workers }, random) => {
  const worker = random.pick(workers);
  worker.signal('SIGSTOP');
  await pause(random.between(100, 5_000));
  worker.signal('SIGCONT');
};

const cutLinks: Fault = async ({ links }, random) => {
  for (let cuts = random.between(1, 8); cuts > 0; cuts--) {
    random.pick(links).cut();
    await pause(random.between(0, 200));
  }
};

const stallLink: Fault = async ({ links }, random) => {
  const link = random.pick(links);
  link.stall();
  await pause(random.between(100, 5_000));
  link.resume();
};

it.each([
  ['D2: workers killed', killWorker],
  ['D1: brokers killed', killBroker],
  ['D3: workers frozen', freezeWorker],
  ['D7: links cut', cutLinks],
  ['D6: links silent', stallLink],
] as const)('%s', async (what, fault) => {
  const random = announced(what);
  const stage = await startStage();
  let lost = 0;
  const perRound = 60;
  for (let round = 0; round < rounds; round++) {
    await using client = await connectTo(site);
    const keys = keysOf(`${what.slice(0, 2)}-${round}`, perRound);
    const told = await stream(client, keys, () => fault(stage, random));
    lost += checkTold(folder, told, keys).length;
  }
  process.stderr.write(`${what}: ${rounds} rounds, ${rounds * perRound} requests, ${lost} lost with their workers\n`);
  await Promise.all(stage.links.map((link) => link.close()));
});
