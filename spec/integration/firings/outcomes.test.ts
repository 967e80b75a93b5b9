import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, type EtcdStore } from '../../../src/adapters/etcd/connect.ts';
import type { Firing } from '../../../src/domain/firing.ts';
import type { FinishedJob, QueuedJob, RunningJob } from '../../../src/domain/job.ts';
import { type Outcome, skippedOutcome } from '../../../src/domain/outcome.ts';
import { firingStatus, followFiring, recentFirings } from '../../../src/firings/follow/follow-firing.ts';
import { OutcomePublisher } from '../../../src/firings/outcomes/outcome-publisher.ts';
import { recordOutcome } from '../../../src/firings/outcomes/record-outcome.ts';
import { publishFiring } from '../../../src/firings/publish/publish.ts';
import { nodes } from '../../../src/fleet/nodes.ts';
import { keysBelow } from '../../../src/store/keys.ts';
import { startEtcd, type TestEtcd } from '../../support/etcd.ts';
import { someName } from '../../support/names.ts';
import { startProxy, type TcpProxy } from '../../support/proxy.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/wait.ts';
import { MemoryFirings, queuedJob, someFiring, someRequest } from '../../support/watch-room.ts';

const node = 'lb01.example.com';

describe('outcomes on a real etcd', () => {
  let etcd: TestEtcd;
  let proxy: TcpProxy;
  let direct: EtcdStore;
  let store: EtcdStore;
  let firings: MemoryFirings;
  let log: ReturnType<typeof recordingLog>;
  let publisher: OutcomePublisher;
  let run = 0;
  let keys = keysBelow('/run0');

  beforeAll(async () => {
    etcd = await startEtcd();
    proxy = await startProxy(etcd.ports.client);
    direct = connect({ endpoints: [etcd.endpoint], requestTimeoutMs: 60_000, log: recordingLog() });
  });
  afterAll(async () => {
    await direct?.close();
    await proxy?.close();
    await etcd?.stop();
  });
  beforeEach(() => {
    keys = keysBelow(`/run${++run}`);
    firings = new MemoryFirings();
    log = recordingLog();
    store = connect({ endpoints: [`http://127.0.0.1:${proxy.port}`], log });
    const readTail = async () => Buffer.from('done\n');
    publisher = new OutcomePublisher({ store, keys, node, firings, queues: firings, readTail, log });
  });
  afterEach(async () => {
    proxy.accept();
    proxy.drop('nothing');
    await publisher.close(0);
    await store.close();
  });

  const place = () => ({ store: direct, keys });
  const publishAll = async (count: number): Promise<Firing[]> => {
    const all = Array.from({ length: count }, () => someFiring());
    await Promise.all(all.map((firing) => publishFiring(place(), firing)));
    return all;
  };
  const outcome = async ({ id }: Firing): Promise<Outcome | undefined> => (await firingStatus(place(), id)).outcomes[0];
  const isOwed = async ({ id }: Firing) => (await direct.get(keys.inbox(node, id))) !== undefined;
  const settled = () => until(() => publisher.pending === 0, 'everything to be published');

  it('outcomes follow a job through its stages, and the last one ends what is owed', async () => {
    const [firing] = await publishAll(1);
    if (firing === undefined) throw new Error('no firing');
    const job = queuedJob(1, someRequest, [firing.id]);
    firings.acceptAll([firing], job);
    publisher.start();
    await settled();
    expect(await outcome(firing)).toMatchObject({ stage: 'queued', jobId: 1 });
    firings.change(running(job));
    await settled();
    expect(await outcome(firing)).toMatchObject({ stage: 'running', attempt: 1 });
    expect(await isOwed(firing)).toBe(true);
    firings.change(finished(job));
    await settled();
    expect(await outcome(firing)).toMatchObject({ stage: 'finished', result: 'succeeded', outputTail: 'done\n' });
    expect(await isOwed(firing)).toBe(false);
    expect(firings.find(firing.id)?.published).toBe('finished/1');
  });

  it('outcomes omit the stage “queued” when a job starts at once', async () => {
    const [firing] = await publishAll(1);
    if (firing === undefined) throw new Error('no firing');
    const job = queuedJob(1, someRequest, [firing.id]);
    publisher.start();
    firings.acceptAll([firing], job);
    publisher.publish(firing.id);
    // A free slot takes a job without giving way to anything but promises.
    for (let step = 0; step < 50; step += 1) await Promise.resolve();
    firings.change(running(job));
    await settled();
    expect(await outcome(firing)).toMatchObject({ stage: 'running', attempt: 1 });
    const written = await direct.get(keys.outcome(firing.id, node));
    expect(written?.modRevision).toBe(written?.createRevision);
  });

  it('outcomes of one job for 1,000 firings are all published', async () => {
    const all = await publishAll(1_000);
    const ids = all.map((firing) => firing.id);
    const job = queuedJob(1, someRequest, ids);
    firings.acceptAll(all, job);
    for (const id of ids) firings.markPublished({ [id]: 'running/1' });
    publisher.start();
    await settled();
    firings.change(finished(job));
    await settled();
    expect((await direct.list(keys.inboxes(node))).entries).toEqual([]);
    expect(firings.unsettledIds()).toEqual([]);
  });

  it('outcomes wait while etcd is away, without stages that are past, and the log says so once', async () => {
    const [firing] = await publishAll(1);
    if (firing === undefined) throw new Error('no firing');
    const job = queuedJob(1, someRequest, [firing.id]);
    proxy.refuse();
    firings.acceptAll([firing], job);
    publisher.start();
    await until(() => log.at('warn').length > 0, 'the outage to be noticed');
    firings.change(running(job));
    firings.change(finished(job));
    proxy.accept();
    await settled();
    expect(await outcome(firing)).toMatchObject({ stage: 'finished' });
    const entry = await direct.get(keys.outcome(firing.id, node));
    expect(entry?.createRevision).toBe(entry?.modRevision);
    expect(log.at('warn')).toHaveLength(1);
    expect(log.at('info').map(({ message }) => message)).toEqual(['Outcomes are published again']);
  });

  it('an outcome whose answer was lost is recognized as its own', async () => {
    const [firing] = await publishAll(1);
    if (firing === undefined) throw new Error('no firing');
    const job = queuedJob(1, someRequest, [firing.id]);
    firings.acceptAll([firing], finished(job));
    await store.get('/warm');
    proxy.drop('to-client');
    publisher.start();
    await until(() => outcome(firing).then((found) => found?.stage === 'finished'), 'the outcome in etcd');
    await until(() => log.at('warn').length > 0, 'the deadline');
    proxy.drop('nothing');
    await settled();
    expect(firings.find(firing.id)?.published).toBe('finished/1');
    expect(log.at('info').map(({ message }) => message)).toEqual(['Outcomes are published again']);
  });

  it('an outcome that somebody else has recorded as final is left alone', async () => {
    const [firing] = await publishAll(1);
    if (firing === undefined) throw new Error('no firing');
    const cancelled = skippedOutcome(firing.id, node, 'cancelled', 1_000);
    expect(await recordOutcome(place(), cancelled)).toEqual({ kind: 'recorded' });
    expect(await recordOutcome(place(), cancelled)).toEqual({ kind: 'recorded' });
    firings.acceptAll([firing], finished(queuedJob(1, someRequest, [firing.id])));
    publisher.start();
    await settled();
    expect(await outcome(firing)).toEqual(cancelled);
    expect(firings.find(firing.id)?.published).toBe('skipped/0');
    expect(log.at('info')).toHaveLength(1);
  });

  it('an outcome is published again when etcd still owes it (an older snapshot was restored)', async () => {
    const [firing] = await publishAll(1);
    if (firing === undefined) throw new Error('no firing');
    firings.acceptAll([firing], finished(queuedJob(1, someRequest, [firing.id])));
    firings.markPublished({ [firing.id]: 'finished/1' });
    publisher.start();
    publisher.publish(firing.id);
    await settled();
    expect(await isOwed(firing)).toBe(true);
    publisher.publishAgain(firing.id);
    await settled();
    expect(await isOwed(firing)).toBe(false);
  });

  it('the origin is told each outcome as it changes, over a cut connection, until all targets are final', async () => {
    const firing = someFiring({ targets: [node, 'lb02.example.com'] });
    await publishFiring(place(), firing);
    const heard: string[] = [];
    const following = (async () => {
      for await (const { node: target, stage } of followFiring(
        { store, keys },
        firing.id,
        AbortSignal.timeout(120_000),
      ))
        heard.push(`${target.split('.')[0]} ${stage}`);
    })();
    await until(() => heard.length === 2, 'the first listing');
    const job = queuedJob(1, someRequest, [firing.id]);
    firings.acceptAll([firing], running(job));
    publisher.start();
    await until(() => heard.length === 3, 'a stage');
    proxy.cut();
    await recordOutcome(place(), skippedOutcome(firing.id, 'lb02.example.com', 'expired', 1_000));
    firings.change(finished(job));
    await following;
    expect(heard.slice(0, 3)).toEqual(['lb01 owed', 'lb02 owed', 'lb01 running']);
    expect(heard.slice(3).sort()).toEqual(['lb01 finished', 'lb02 skipped']);
    expect((await firingStatus(place(), firing.id)).outcomes.map(({ stage }) => stage)).toEqual([
      'finished',
      'skipped',
    ]);
  });

  it('the list of firings shows the newest first, and says which firing does not exist', async () => {
    const first = someFiring();
    const second = someFiring();
    for (const firing of [first, second]) await publishFiring(place(), firing);
    await direct.commit({ compare: [], write: [{ put: keys.firing('nonsense'), value: 'no' }] });
    expect((await recentFirings(place(), 10)).map(({ id }) => id)).toEqual([second.id, first.id]);
    const missing = someFiring().id;
    await expect(firingStatus(place(), missing)).rejects.toMatchObject({ code: 'firing-not-found' });
    await expect(followFiring(place(), missing, AbortSignal.timeout(1_000)).next()).rejects.toMatchObject({
      code: 'firing-not-found',
    });
  });

  it('the list of nodes shows a node with its queues while it is present, and as a member later', async () => {
    const queues = { default: { queued: 2, running: 1 } };
    const presence = someName(place(), {
      node,
      version: '0.1.0',
      describe: () => ({ roles: ['watch'], startedAt: 1_000, queues }),
      log,
    });
    presence.start();
    const isHere = async () => (await nodes(place())).find(({ present, firstSeenAt }) => present && firstSeenAt);
    expect(await until(isHere, 'presence and membership')).toMatchObject({
      node,
      version: '0.1.0',
      queues: { default: { queued: 2, running: 1 } },
    });
    await presence.close();
    expect(await nodes(place())).toMatchObject([{ node, present: false, version: null, queues: {} }]);
  });
});

const running = (job: QueuedJob): RunningJob => {
  const { state: _, deferral: __, ...common } = job;
  return { ...common, state: 'running', attempt: 1, startedAt: 2_000 };
};

const finished = (job: QueuedJob): FinishedJob => ({
  ...running(job),
  state: 'finished',
  finishedAt: 3_000,
  result: { kind: 'succeeded', exitCode: 0 },
  times: { realS: 1, userS: 0, systemS: 0 },
  details: {},
});
