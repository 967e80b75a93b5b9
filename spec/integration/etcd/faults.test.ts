import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EtcdOptions } from '../../../src/adapters/etcd/client.ts';
import { connect, type EtcdStore } from '../../../src/adapters/etcd/connect.ts';
import { startCluster, startEtcd, type TestEtcd } from '../../support/etcd.ts';
import { collect, putAll } from '../../support/keystore-contract.ts';
import { startProxy, type TcpProxy } from '../../support/proxy.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/wait.ts';

const stores: EtcdStore[] = [];
const open = (endpoint: string, changes: Partial<EtcdOptions> = {}): EtcdStore => {
  const store = connect({ endpoints: [endpoint], requestTimeoutMs: 30_000, log: recordingLog(), ...changes });
  stores.push(store);
  return store;
};
/** For a call that is to meet its deadline. */
const impatient = { requestTimeoutMs: 2_000 };
const put = (store: EtcdStore, key: string, value = 'x') => store.commit({ compare: [], write: [{ put: key, value }] });
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

describe('the etcd adapter and a network that fails', () => {
  let etcd: TestEtcd;
  let proxy: TcpProxy;
  let direct: EtcdStore;
  let throughProxy: string;

  beforeAll(async () => {
    etcd = await startEtcd();
    proxy = await startProxy(etcd.ports.client);
    throughProxy = `http://127.0.0.1:${proxy.port}`;
  });
  afterAll(async () => {
    await proxy?.close();
    await etcd?.stop();
  });
  beforeEach(() => {
    direct = open(etcd.endpoint);
  });
  afterEach(() => {
    proxy.accept();
    proxy.resume();
    proxy.drop('nothing');
  });

  it('the adapter says in time that etcd is unreachable when nothing listens', async () => {
    await expect(open('http://127.0.0.1:1').get('/k')).rejects.toMatchObject({
      code: 'etcd-unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('the adapter gives up a call at its deadline when etcd is frozen, and works when it is back', async () => {
    const store = open(etcd.endpoint, impatient);
    await put(direct, '/frozen');
    await until(() => store.get('/frozen').catch(() => undefined), 'a connection');
    etcd.freeze();
    const startedAt = performance.now();
    await expect(store.get('/frozen').finally(() => etcd.thaw())).rejects.toMatchObject({ code: 'etcd-unreachable' });
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    expect((await until(() => store.get('/frozen').catch(() => undefined), 'an answer')).value).toBe('x');
  });

  it('the adapter needs at most one attempt to notice a dead connection', async () => {
    const store = open(throughProxy);
    await put(store, '/cut');
    proxy.cut();
    expect((await store.get('/cut'))?.value).toBe('x');
  });

  it('the adapter does not ping an idle connection, which etcd would end', async () => {
    const store = open(throughProxy, { timing: { keepaliveMs: 50 } });
    await put(store, '/idle');
    const { connections, received } = proxy;
    // Four pings are too many for etcd, and it answers each; one may be on its way from a write that took its time.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const pingBytes = 17;
    expect(proxy.received).toBeLessThanOrEqual(received + pingBytes);
    expect((await store.get('/idle'))?.value).toBe('x');
    expect(proxy.connections).toBe(connections);
  });

  it('the adapter recognizes nothing by itself: a lost answer leaves a write that may have been applied', async () => {
    const store = open(throughProxy, impatient);
    await until(() => put(store, '/warm').catch(() => undefined), 'a connection');
    proxy.drop('to-client');
    await expect(put(store, '/lost', 'applied')).rejects.toMatchObject({ code: 'etcd-unreachable' });
    expect((await until(() => direct.get('/lost'), 'the write')).value).toBe('applied');
  });

  it('the adapter ends a watch whose connection is cut, with an error', async () => {
    const store = open(throughProxy);
    const { revision } = await store.list('/cut/');
    const seen = collect(store.watch('/cut/', revision + 1n, new AbortController().signal));
    await until(() => seen.batches.length > 0, 'the watch');
    proxy.cut();
    expect(await seen.ended).toMatchObject({ code: 'etcd-unreachable' });
  });

  const silentWatch = async (watchAnswerMs: number) => {
    const store = open(throughProxy, { timing: { watchIdleMs: 150, watchAnswerMs } });
    const { revision } = await store.list('/silent/');
    const seen = collect(store.watch('/silent/', revision + 1n, new AbortController().signal));
    await until(() => seen.batches.length > 0, 'the watch');
    return seen;
  };

  it('the adapter asks a silent watch for a progress notification', async () => {
    const seen = await silentWatch(60_000);
    const before = proxy.received;
    await until(() => proxy.received > before + 40, 'answers to progress requests');
    await put(direct, '/silent/1');
    await until(() => seen.events.length === 1, 'an event after the silence');
  });

  it('the adapter ends a silent watch without a progress notification', async () => {
    const seen = await silentWatch(150);
    proxy.drop('to-client');
    expect(await seen.ended).toMatchObject({ message: expect.stringContaining('silent for 300 ms') });
  });

  it('the adapter does not wait forever for a watch to be created', async () => {
    const store = open(throughProxy, impatient);
    proxy.stall();
    const seen = collect(store.watch('/never/', 1n, new AbortController().signal));
    expect(await seen.ended).toMatchObject({ code: 'etcd-unreachable' });
    expect(seen.batches).toEqual([]);
  });

  it('the adapter tells which revision was compacted', async () => {
    const { revision } = await put(direct, '/old');
    for (let count = 0; count < 5; count++) await put(direct, '/old');
    await fetch(`${etcd.endpoint}/v3/kv/compaction`, {
      method: 'POST',
      body: JSON.stringify({ revision: String(revision + 4n) }),
    });
    const seen = collect(direct.watch('/old', revision, new AbortController().signal));
    expect(await seen.ended).toMatchObject({
      code: 'etcd-unreachable',
      details: { compactRevision: Number(revision + 4n) },
    });
  });

  it('the adapter delivers a backlog of large values in whole revisions', async () => {
    const value = 'v'.repeat(100_000);
    const { revision } = await put(direct, '/big/start');
    for (let round = 0; round < 10; round++) {
      const write = Array.from({ length: 10 }, (_, index) => ({ put: `/big/${round}/${index}`, value }));
      await direct.commit({ compare: [], write });
    }
    const seen = collect(direct.watch('/big/', revision + 1n, new AbortController().signal));
    await until(() => seen.events.length === 100, '100 events of 100 kB');
    const revisions = seen.batches.flatMap(({ events }) => [
      ...new Set(events.map((event) => (event.kind === 'put' ? event.entry.modRevision : 0n))),
    ]);
    expect(new Set(revisions).size).toBe(revisions.length);
    expect((await direct.list('/big/')).entries).toHaveLength(101);
  });

  it('the adapter lists 80 MB, more than one message may hold', async () => {
    await putAll(
      direct,
      '/huge/',
      Array.from({ length: 80 }, (_, index) => `${index}`),
      '',
    );
    for (let index = 0; index < 80; index++) await put(direct, `/huge/${index}`, 'h'.repeat(1_000_000));
    const patient = open(etcd.endpoint, { requestTimeoutMs: 60_000 });
    expect((await patient.list('/huge/')).entries).toHaveLength(80);
    await direct.commit({ compare: [], write: [{ deletePrefix: '/huge/' }] });
  });

  it('the adapter continues to the only one of five endpoints that answers', async () => {
    const nobody = ['http://127.0.0.1:1', 'http://127.0.0.1:2', 'http://127.0.0.1:3', 'http://127.0.0.1:4'] as const;
    // Which one comes first is chance.
    for (let round = 0; round < 10; round++) {
      const store = open('', { endpoints: [nobody[0], ...nobody.slice(1), etcd.endpoint] });
      expect(await store.get('/nothing')).toBeUndefined();
    }
  });

  it('the adapter says that a request is refused, and does not repeat it', async () => {
    await expect(put(direct, '/k', 'x'.repeat(2_000_000))).rejects.toMatchObject({ code: 'etcd-refused' });
    const write = Array.from({ length: 129 }, (_, index) => ({ put: `/many/${index}`, value: '' }));
    await expect(direct.commit({ compare: [], write })).rejects.toMatchObject({ code: 'etcd-refused' });
  });

  it('the adapter reports only that a closed store is closed', async () => {
    const store = open(etcd.endpoint);
    // Not from the first one: another test has compacted it away.
    const { revision } = await store.list('/closed/');
    const seen = collect(store.watch('/closed/', revision + 1n, new AbortController().signal));
    await until(() => seen.batches.length > 0, 'the watch');
    await store.close();
    expect(await seen.ended).toBeUndefined();
    await expect(store.get('/k')).rejects.toMatchObject({ code: 'etcd-unreachable' });
  });
});

describe('an etcd that is full', () => {
  let etcd: TestEtcd;
  beforeAll(async () => {
    etcd = await startEtcd({ args: ['--quota-backend-bytes', String(2 * 1024 * 1024)] });
  });
  afterAll(() => etcd?.stop());

  it('the adapter names a full etcd as the reason of refused writes, while reads continue', async () => {
    const store = open(etcd.endpoint);
    await put(store, '/read', 'me');
    const refusal = await until(
      () =>
        put(store, `/fill/${Math.random()}`, 'x'.repeat(500_000)).then(
          () => undefined,
          (error) => error,
        ),
      'etcd to be full',
    );
    expect(refusal).toMatchObject({ code: 'etcd-no-space', retryable: true });
    for (let count = 0; count < 5; count++) {
      await expect(put(store, '/fill/more')).rejects.toMatchObject({ code: 'etcd-no-space' });
      expect((await store.get('/read'))?.value).toBe('me');
    }
  });
});

describe('a cluster of three', () => {
  let cluster: TestEtcd[];
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => Promise.all((cluster ?? []).map((member) => member.stop())));
  const endpoints = () => cluster.map((member) => member.endpoint) as [string, ...string[]];

  it('the adapter continues with other members when one is frozen or dead, and says that the quorum is lost', async () => {
    const store = open('', { endpoints: endpoints(), requestTimeoutMs: 3_000 });
    await until(() => put(store, '/k', 'one').catch(() => undefined), 'a leader');
    cluster[0]?.freeze();
    // A frozen leader is missed for an election's time, in which the others refuse.
    const read = until(() => store.get('/k').catch(() => undefined), 'a read without one member');
    expect((await read.finally(() => cluster[0]?.thaw()))?.value).toBe('one');
    await cluster[1]?.kill();
    await until(() => put(store, '/k', 'two').catch(() => undefined), 'a write without one member');
    await cluster[2]?.kill();
    await expect(
      until(
        () =>
          put(store, '/k').then(
            () => 'written',
            () => undefined,
          ),
        'a write',
        4_000,
      ),
    ).rejects.toThrow();
    await Promise.all([cluster[1]?.start(), cluster[2]?.start()]);
    expect((await until(() => store.get('/k').catch(() => undefined), 'the quorum'))?.value).toMatch(/two|x/);
  });

  it('the adapter ends a watch of a member that has lost its leader', async () => {
    const [member] = endpoints();
    const store = open(member, { requestTimeoutMs: 3_000 });
    // One that the last election has ended already is none.
    const seen = await until(async () => {
      const listing = await store.list('/k').catch(() => undefined);
      if (listing === undefined) return undefined;
      const watched = collect(store.watch('/k', listing.revision + 1n, new AbortController().signal));
      let isOver = false;
      void watched.ended.then(() => {
        isOver = true;
      });
      await until(() => isOver || watched.batches.length > 0, 'the watch, or its end');
      return watched.batches.length > 0 ? watched : undefined;
    }, 'the watch');
    await Promise.all([cluster[1]?.kill(), cluster[2]?.kill()]);
    expect(await seen.ended).toMatchObject({ message: expect.stringContaining('no leader') });
  });
});
