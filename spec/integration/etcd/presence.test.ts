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
    store = connect({ endpoints: [`http://127.0.0.1:${proxy.port}`], requestTimeoutMs: 1_000, timing, log });
  });
  afterEach(async () => {
    proxy.accept();
    await store.close();
  });
  const isPresent = async () => (await direct.get(key)) !== undefined;

  it('outlives its lease’s time, is written at most once a second, and ends with close', async () => {
    const { revision } = await direct.list('/');
    const seen = collect(direct.watch(key, revision + 1n, new AbortController().signal));
    let writes = 0;
    const presence = store.keepPresent(key, () => String(++writes));
    await until(isPresent, 'presence');
    const endsAt = performance.now() + 3_000;
    await until(() => {
      presence.refresh();
      return performance.now() > endsAt;
    }, 'more than a lease’s time');
    await presence.close();
    await until(() => seen.events.at(-1)?.kind === 'delete', 'the end of presence');
    expect(seen.events.filter((event) => event.kind === 'delete')).toHaveLength(1);
    expect(writes).toBeGreaterThanOrEqual(3);
    expect(writes).toBeLessThanOrEqual(5);
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
    const leases = await post<{ leases: { ID: string }[] }>('/v3/lease/leases', {});
    for (const { ID } of leases.leases) await post('/v3/lease/revoke', { ID });
    expect(await isPresent()).toBe(false);
    await until(isPresent, 'presence to be regained');
  });

  const post = async <T>(path: string, body: unknown): Promise<T> => {
    const answer = await fetch(etcd.endpoint + path, { method: 'POST', body: JSON.stringify(body) });
    return (await answer.json()) as T;
  };
});
