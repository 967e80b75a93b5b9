import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, type EtcdStore } from '../../../src/adapters/etcd/connect.ts';
import { HistoryPages } from '../../../src/broker/records/history-pages.ts';
import { OnlineWorkers } from '../../../src/broker/records/online-workers.ts';
import type { RequestRecord } from '../../../src/domain/request-record.ts';
import { BrokerDirectory } from '../../../src/fleet/brokers/broker-directory.ts';
import { busKeysBelow, listBrokers, serializeBroker } from '../../../src/fleet/brokers/wire.ts';
import { keysBelow } from '../../../src/store/keys.ts';
import { startEtcd, type TestEtcd } from '../../support/etcd.ts';
import { someName } from '../../support/names.ts';
import { startProxy, type TcpProxy } from '../../support/proxy.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/wait.ts';

const record = (id: string, changes: Partial<RequestRecord> = {}): RequestRecord => ({
  id,
  team: 'team1',
  user: 'hp',
  service: 'demo',
  service_team: 'team1',
  plugin: 'echo',
  command: 'uptime',
  received_at: '2026-11-20T19:00:00.000Z',
  finished_at: '2026-11-20T19:00:01.000Z',
  result: 'succeeded',
  exit_code: 0,
  reason: null,
  legs: [],
  ...changes,
});

describe('what brokers have in etcd', () => {
  let etcd: TestEtcd;
  let proxy: TcpProxy;
  let direct: EtcdStore;
  /** Through the proxy. */
  let store: EtcdStore;
  let keys: ReturnType<typeof busKeysBelow>;
  let log: ReturnType<typeof recordingLog>;
  let runs = 0;

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
    keys = busKeysBelow(`/run${++runs}`);
    log = recordingLog();
    store = connect({ endpoints: [`http://127.0.0.1:${proxy.port}`], log });
    return async () => {
      proxy.accept();
      await store.close();
    };
  });

  const pagesOf = async (team: string): Promise<string[][]> => {
    const { entries } = await direct.list(`/run${runs}/v1/history/${team}/`);
    return entries.map(({ value }) => (JSON.parse(value) as { records: RequestRecord[] }).records.map(({ id }) => id));
  };

  it('records of requests are written together into pages of 200 of one team, in order, with none lost at the end', async () => {
    const history = new HistoryPages({ store, keys, log });
    const ids = Array.from({ length: 450 }, (_, index) => `r${index}`);
    for (const id of ids) history.record(record(id));
    history.record(record('other', { team: 'team2' }));
    await until(async () => (await pagesOf('team2')).length === 1, 'the pages');
    const pages = await pagesOf('team1');
    expect(pages.map(({ length }) => length)).toEqual([200, 200, 50]);
    expect(pages.flat()).toEqual(ids);
    history.record(record('last'));
    await history.close();
    expect((await pagesOf('team1')).at(-1)).toEqual(['last']);
  });

  it('what workers report about themselves blocks nobody else, however long it is', async () => {
    const history = new HistoryPages({ store, keys, log });
    const noise = '\u0001';
    const leg = {
      ...{ worker: 'w', node: 'n', job_id: 1, result: 'failed', exit_code: 1, ran_ms: 1, output_bytes: 1 },
      reason: noise.repeat(2_048),
      output_tail: noise.repeat(1_024),
    } as const;
    for (let count = 0; count < 40; count++) history.record(record(`r${count}`, { legs: [leg] }));
    history.record(record('mirror', { legs: Array.from({ length: 2_000 }, () => leg) }));
    history.record(record('other', { team: 'team2' }));
    await until(async () => (await pagesOf('team2')).length === 1, 'the pages');
    await history.close();
    const pages = await pagesOf('team1');
    expect(pages.length).toBeGreaterThan(2);
    expect(pages.flat()).toHaveLength(41);
    expect(log.at('warn')).toEqual([]);
  });

  it('records wait while etcd is away, the oldest are dropped and counted, and each is written once', async () => {
    proxy.refuse();
    const history = new HistoryPages({ store, keys, log });
    for (let count = 0; count < 25_000; count++) history.record(record(`r${count}`));
    expect(history.dropped).toBeGreaterThanOrEqual(5_000);
    await until(() => log.at('warn').length > 0, 'the outage to be told');
    proxy.accept();
    const wanted = 25_000 - history.dropped;
    await until(async () => (await pagesOf('team1')).flat().length >= wanted, 'all that waited');
    await history.close();
    const ids = (await pagesOf('team1')).flat();
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBe(25_000 - history.dropped);
    expect(ids.at(-1)).toBe('r24999');
    expect(log.at('warn')).toHaveLength(1);
  });

  it('the workers of a broker are one key, which ends with the broker', async () => {
    const name = someName({ store, keys: keysBelow(`/run${runs}`) }, { node: 'broker-1' });
    name.start();
    const online = new OnlineWorkers(name, keys, 'broker-1', { now: () => Date.parse('2026-11-20T19:00:00Z') });
    online.online({ team: 'team1', identity: 'demo01', node: 'web01', version: '1' });
    online.online({ team: 'team1', identity: 'demo02', node: 'web02', version: '1' });
    online.offline('team1', 'demo01');
    const workers = async (): Promise<object | undefined> => {
      const entry = await direct.get(keys.online('broker-1'));
      return entry && (JSON.parse(entry.value) as { workers: object }).workers;
    };
    const demo02 = { node: 'web02', version: '1', since: '2026-11-20T19:00:00.000Z' };
    await until(async () => 'team1/demo02' in ((await workers()) ?? {}), 'the key');
    expect(await workers()).toEqual({ 'team1/demo02': demo02 });
    await online.close();
    expect(await workers()).toBeUndefined();
    await name.close();
  });

  it('a broker learns of others that come and go, also after an outage, and skips malformed entries', async () => {
    const document = (id: string) => ({
      id,
      endpoint: `tcp://${id}:5555`,
      key: 'k'.repeat(40),
      version: '1',
      started_at: '2026-11-20T19:00:00.000Z',
    });
    const put = (id: string, value = serializeBroker(document(id))) =>
      direct.commit({ compare: [], write: [{ put: keys.broker(id), value }] });
    await put('b');
    const directory = new BrokerDirectory({ store, keys, log });
    let told = 0;
    directory.onChange(() => void told++);
    directory.start();
    const ids = () => directory.brokers.map(({ id }) => id).join();
    await until(() => ids() === 'b', 'the first');
    await put('a');
    await until(() => ids() === 'a,b', 'the second');
    await put('nonsense', '{"format":1,"id":"nonsense","endpoint":"file:///etc/passwd"}');
    proxy.cut();
    proxy.refuse();
    await direct.commit({ compare: [], write: [{ delete: keys.broker('b') }] });
    expect(ids()).toBe('a,b');
    proxy.accept();
    await until(() => ids() === 'a', 'the loss of one');
    expect(told).toBeGreaterThanOrEqual(3);
    expect((await listBrokers(direct, keys)).map(({ id }) => id)).toEqual(['a']);
    await directory.stop();
  });
});
