/**
 * How soon a node works again that was away while much piled up. Once 100,000 jobs of its own are in its journal: from the
 * start of the daemon until it is ready and until the first of them runs, against the same with one job. Once 10,000 firings,
 * each a job of its own, are owed to it in etcd: until it is ready, until all are in its journal, and until etcd has an outcome
 * of each; against a bare reading of the same firings. The queue is paused there: what they run is another figure.
 */
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { firing as someFiring } from '../spec/support/firings.ts';
import { jobRequest } from '../spec/support/jobs.ts';
import type { TestNode } from '../spec/support/node.ts';
import { until } from '../spec/support/wait.ts';
import { connect } from '../src/adapters/etcd/connect.ts';
import { type OpenJournal, openJournal } from '../src/adapters/sqlite/open-journal.ts';
import type { JobView } from '../src/api/contract/jobs.ts';
import { serializeFiring, serializeInboxEntry } from '../src/firings/wire/firing.ts';
import { chunksOf } from '../src/kit/in-windows.ts';
import { keysBelow } from '../src/store/keys.ts';
import type { Bench } from './support/bench.ts';
import { connectTo } from './support/client.ts';
import type { Row } from './support/row.ts';
import { timed } from './support/samples.ts';

const queuedJobs = 100_000;
const owedFirings = 10_000;
const perCommit = 60;
const name = 'target';
const keys = keysBelow('/trigger');
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export const recovery = async (bench: Bench): Promise<Row[]> => {
  const etcd = await bench.etcd();
  const many = await ownBacklog(bench, etcd.endpoint, queuedJobs);
  const one = await ownBacklog(bench, etcd.endpoint, 1);
  const owed = await owedBacklog(bench, etcd.endpoint);
  const [unit, aim] = ['ms', null] as const;
  const bare = { name: 'bare reading', value: owed.bare };
  return [
    {
      figure: '100,000 queued jobs: ready',
      unit,
      ours: many.ready,
      peer: { name: 'one job', value: one.ready },
      aim: { of: 'ours', at: 'most', bound: 5_000 },
    },
    { figure: 'first job runs', unit, ours: many.runs, peer: { name: 'one job', value: one.runs }, aim },
    { figure: '10,000 owed firings: ready', unit, ours: owed.ready, peer: null, aim },
    { figure: 'all journalled', unit, ours: owed.journalled, peer: bare, aim },
    { figure: 'all answered', unit, ours: owed.answered, peer: null, aim },
  ];
};

/** ms from the start of a daemon until it is ready, and until its first job runs. */
const ownBacklog = async (
  bench: Bench,
  etcd: string,
  count: number,
): Promise<{ readonly ready: number; readonly runs: number }> => {
  const node = bench.node({ name, etcd: [etcd], watch: 'allow = ["echo"]' });
  prepareJournal(bench, node, ({ journal }) => {
    const request = jobRequest({ argv: ['/bin/true'] });
    for (let n = 0; n < count; n += 1)
      journal.add({ request, command: '/bin/true', coalescingKey: null, at: Date.now() });
  });
  const startedAt = Date.now();
  const ready = await timed(() => node.start());
  const client = connectTo(node.socket);
  const first = await until(async () => {
    const { started_at: at } = await client.call<JobView>('GET', '/v1/jobs/1');
    return at ?? undefined;
  }, 'the first job');
  client.close();
  await node.remove();
  return { ready, runs: Date.parse(first) - startedAt };
};

const owedBacklog = async (bench: Bench, etcd: string) => {
  const store = connect({ endpoints: [etcd], log: silent });
  bench.onEnd(() => store.close());
  for (const chunk of chunksOf(Array.from({ length: owedFirings }, ownJob), perCommit))
    await store.commit({ compare: [], write: chunk.flatMap(writesOf) });
  const bare = await timed(() => Promise.all([store.list(keys.inboxes(name)), store.list(keys.firings)]));
  const node = bench.node({ name, etcd: [etcd], watch: 'allow = ["echo"]' });
  prepareJournal(bench, node, ({ journal }) => journal.saveQueueSettings('default', { paused: true, slots: null }));
  const begun = performance.now();
  const since = (): number => performance.now() - begun;
  await node.start();
  const ready = since();
  const logged = (): string => readFileSync(join(node.dir, 'log'), 'utf8');
  await until(() => logged().includes('Backlog accepted.'), 'the journal', 100_000);
  const journalled = since();
  const outcomes = keys.outcome('', '').slice(0, -1);
  await until(async () => (await store.count(outcomes)) >= owedFirings, 'the outcomes', 100_000);
  return { bare, ready, journalled, answered: since() };
};

/** In memory: 100,000 commits to a disk take a minute and are no part of this figure. */
const prepareJournal = (bench: Bench, node: TestNode, fill: (opened: OpenJournal) => void): void => {
  const file = join(bench.memoryDir, 'journal.db');
  const opened = openJournal({ file, jobsDir: join(node.dir, 'state/jobs') });
  fill(opened);
  opened.close();
  copyFileSync(file, join(node.dir, 'state/journal.db'));
};

const ownJob = (_: unknown, index: number) =>
  someFiring({ id: ulid(), targets: [name], job: { plugin: 'echo', args: { text: String(index) } } });

const writesOf = (firing: ReturnType<typeof ownJob>) => [
  { put: keys.firing(firing.id), value: serializeFiring(firing) },
  { put: keys.inbox(name, firing.id), value: serializeInboxEntry(firing.id) },
];
