import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, type EtcdStore } from '../../../src/adapters/etcd/connect.ts';
import { startEtcd, type TestEtcd } from '../../support/etcd.ts';
import { collect } from '../../support/keystore-contract.ts';
import { startProxy, type TcpProxy } from '../../support/proxy.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/wait.ts';

const key = '/nodes/lb01';

describe('presence by a lease', () => {
  let etcd: TestEtcd;
  let proxy: TcpProxy;
  let direct: EtcdStore;
  let store: EtcdStore;
  let log: ReturnType<typeof recordingLog>;

  beforeAll(async () => {
    etcd = await startEtcd();
    proxy = await startProxy(etcd.ports.client);
    direct = connect({ endpoints: [etcd.endpoint], log: recordingLog() });
  });
  afterAll(async () => {
    await direct?.close();
    await proxy?.close();
    await etcd?.stop();
  });
  beforeEach(() => {
    log = recordingLog();
    const timing = { leaseTtlS: 2 };
    store = connect({ endpoints: [`http://127.0.0.1:${proxy.port}`], timing, log });
  });
  afterEach(async () => {
    proxy.accept();
    await store.close();
  });
  const isPresent = async () => (await direct.get(key)) !== undefined;

  /** Kept for longer than its lease's time; gives how often it was away before it was closed. */
  const kept = async (): Promise<number> => {
    const { revision } = await direct.list('/');
    const seen = collect(direct.watch(key, revision + 1n, new AbortController().signal));
    const startedAt = performance.now();
    let writes = 0;
    const presence = store.keepPresent(key, () => String(++writes));
    await until(() => {
      presence.refresh();
      return writes >= 3 && performance.now() > startedAt + 3_000;
    }, 'more than a lease’s time, and three writes');
    await presence.close();
    await until(() => seen.events.at(-1)?.kind === 'delete', 'the end of presence');
    const away = seen.events.filter((event) => event.kind === 'delete').length - 1;
    const seconds = (performance.now() - startedAt) / 1_000;
    // One at each beginning, one at the end.
    expect(writes).toBeLessThanOrEqual(seconds + 2 + away);
    return away;
  };

  it('outlives its lease’s time, is written at most once a second, and ends with close', async () => {
    // On a busy machine a lease of two seconds may well end before it is confirmed; never each time.
    await until(async () => (await kept()) === 0, 'a presence without an interruption');
  });

  it('is lost while etcd can not be reached, and regained; each is said once', async () => {
    store.keepPresent(key, () => 'here');
    await until(isPresent, 'presence');
    proxy.refuse();
    proxy.cut();
    await until(async () => !(await isPresent()), 'the lease to expire');
    proxy.accept();
    await until(isPresent, 'presence to be regained');
    await until(() => log.at('info').length > 0, 'the good news');
    expect(log.at('warn')).toHaveLength(1);
    expect(log.at('info')).toHaveLength(1);
  });

  it('is regained at once when somebody revokes the lease', async () => {
    store.keepPresent(key, () => 'here');
    await until(isPresent, 'presence');
    const { revision } = await direct.list('/');
    const seen = collect(direct.watch(key, revision, new AbortController().signal));
    await until(() => seen.batches.length > 0, 'the watch');
    const leases = await post<{ leases: { ID: string }[] }>('/v3/lease/leases', {});
    for (const { ID } of leases.leases) await post('/v3/lease/revoke', { ID });
    await until(() => seen.events.some(({ kind }) => kind === 'delete'), 'presence to be lost');
    await until(() => seen.events.at(-1)?.kind === 'put', 'presence to be regained');
  });

  const post = async <T>(path: string, body: unknown): Promise<T> => {
    const answer = await fetch(etcd.endpoint + path, { method: 'POST', body: JSON.stringify(body) });
    return (await answer.json()) as T;
  };
});
