import { readFileSync } from 'node:fs';
import { ulid } from 'ulid';
import { expect, it, onTestFinished } from 'vitest';
import { connect, type EtcdStore } from '../../src/adapters/etcd/connect.ts';
import { serializeFiring, serializeInboxEntry } from '../../src/firings/wire/firing.ts';
import { chunksOf } from '../../src/kit/in-windows.ts';
import { keysBelow } from '../../src/store/keys.ts';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { firing } from '../support/firings.ts';
import { queueMany } from '../support/many-jobs.ts';
import { createNode, type TestNode } from '../support/node.ts';
import { openFiles } from '../support/processes.ts';
import { recordingLog } from '../support/recording-log.ts';
import { until } from '../support/wait.ts';

const count = Number(process.env['SOAK_VOLUME'] ?? 15_000);
const keys = keysBelow('/trigger');
const inbox = keys.inboxes('lb01');
const outcomes = keys.outcome('', '').slice(0, -1);

it('C1: 100,000 queued jobs are accepted, listed in pages and drained in order, in bounded memory', () =>
  queueMany(100_000));

it(`B2: ${count} keys in the inbox of a node that returns are answered, each once, in bounded memory`, async () => {
  // V8 lets a heap grow for as long as there is memory: only a limit shows what is needed.
  const kept = `[history]\nfirings_keep = ${count}`;
  const { store, node } = await prepared(kept, { NODE_OPTIONS: '--max-old-space-size=128' });
  await publishMany(store, count);
  const startedAt = performance.now();
  await node.start();
  await until(async () => (await store.count(inbox)) === 0, 'an empty inbox', 900_000);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  const peakMb = Math.round(peakKb(node.pid()) / 1_024);
  process.stderr.write(`B2: ${count} answered in ${seconds} s, the daemon's peak is ${peakMb} MB\n`);
  expect(await store.count(outcomes)).toBe(count);
  expect(peakMb).toBeLessThan(300);
});

it(`B15: ${count} firings are published and end, and neither keys nor leases stay`, async () => {
  const kept = 1_000;
  const { etcd, store, node } = await prepared(`[history]\nfirings_keep = ${kept}\n[sweeper]\ninterval = "1s"`);
  await node.start();
  const wave = 1_000;
  const gauge = async () => ({ leases: await leasesOf(etcd), files: openFiles(node.pid()) });
  let before = await gauge();
  let mostKeys = 0;
  for (let made = 0; made < count; made += wave) {
    await publishMany(store, wave);
    await until(async () => (await store.count(inbox)) === 0, 'an empty inbox', 120_000);
    mostKeys = Math.max(mostKeys, await store.count('/'));
    // The sweeper is elected by then.
    if (made === 0) before = await gauge();
  }
  await until(async () => (await store.count(keys.firings)) <= kept, 'the sweeper', 120_000);
  const after = await gauge();
  process.stderr.write(`B15: ${JSON.stringify({ count, mostKeys, keys: await store.count('/'), before, after })}\n`);
  // A firing and its outcome each; the node, and the election.
  expect(await store.count('/')).toBeLessThanOrEqual(2 * kept + 5);
  // The sweeper may be a few waves behind.
  expect(mostKeys).toBeLessThan(2 * (kept + 10 * wave));
  expect(after.leases).toBeLessThanOrEqual(before.leases);
  expect(after.files).toBeLessThanOrEqual(before.files + 6);
});

const prepared = async (config: string, env = {}): Promise<{ etcd: TestEtcd; store: EtcdStore; node: TestNode }> => {
  const etcd = await startEtcd({ args: ['--quota-backend-bytes', String(4 * 2 ** 30)] });
  onTestFinished(() => etcd.stop());
  const store = connect({ endpoints: [etcd.endpoint], log: recordingLog() });
  onTestFinished(() => store.close());
  const node = createNode({ name: 'lb01', etcd: [etcd.endpoint], watch: 'allow = ["echo"]', config, env });
  onTestFinished(() => node.remove());
  return { etcd, store, node };
};

/** All of them want the same: those that wait together are one job. */
const publishMany = async (store: EtcdStore, many: number): Promise<void> => {
  for (const ids of chunksOf(
    Array.from({ length: many }, () => ulid()),
    60,
  )) {
    const write = ids.flatMap((id) => [
      { put: keys.firing(id), value: serializeFiring(firing({ id, targets: ['lb01'], job: echo, createdAt: now() })) },
      { put: keys.inbox('lb01', id), value: serializeInboxEntry(id) },
    ]);
    await store.commit({ compare: [], write });
  }
};
const echo = { plugin: 'echo', args: { text: 'the same' } };
const now = (): string => new Date().toISOString();

const leasesOf = async ({ endpoint }: TestEtcd): Promise<number> => {
  const answer = await fetch(`${endpoint}/v3/lease/leases`, { method: 'POST', body: '{}' });
  return ((await answer.json()) as { leases?: unknown[] }).leases?.length ?? 0;
};

const peakKb = (pid: number): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
