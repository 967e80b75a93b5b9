import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, type EtcdStore } from '../../../src/adapters/etcd/connect.ts';
import type { Fence, HeldKey } from '../../../src/store/key-store.ts';
import { startEtcd, type TestEtcd } from '../../support/etcd.ts';
import { startProxy, type TcpProxy } from '../../support/proxy.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/wait.ts';

const key = '/elections/sweeper';
const heldTtlS = 2;
/** For who is to hold it without a doubt, on a busy machine too. */
const longTtlS = 120;

describe('a key that one holds by a lease', () => {
  let etcd: TestEtcd;
  let proxy: TcpProxy;
  let direct: EtcdStore;
  let store: EtcdStore;

  beforeAll(async () => {
    etcd = await startEtcd();
    proxy = await startProxy(etcd.ports.client);
    direct = connect({ endpoints: [etcd.endpoint], timing: { heldTtlS: longTtlS }, log: recordingLog() });
  });
  afterAll(async () => {
    await direct?.close();
    await proxy?.close();
    await etcd?.stop();
  });
  beforeEach(() => {
    const endpoints = [`http://127.0.0.1:${proxy.port}`] as const;
    store = connect({ endpoints, timing: { heldTtlS }, log: recordingLog() });
  });
  afterEach(async () => {
    proxy.accept();
    proxy.resume();
    await store.close();
    await until(async () => (await direct.get(key)) === undefined, 'the key to go');
  });

  const take = async (from: EtcdStore): Promise<HeldKey> => {
    const held = await from.holdKey(key, 'x');
    if (held === undefined) throw new Error('somebody else holds it');
    return held;
  };
  const writes = async (fence: Fence): Promise<boolean> =>
    (await direct.commit({ compare: [fence], write: [{ put: '/written', value: '' }] })).succeeded;

  /** Whether the key was held all the time for two lives of its lease. */
  const outlivesItsLease = async (): Promise<boolean> => {
    const held = await until(() => store.holdKey(key, 'x'), 'the key');
    const longEnough = performance.now() + 2 * heldTtlS * 1_000;
    await until(() => performance.now() > longEnough || held.lost.aborted, 'two lives of a lease');
    const isHeld = held.isHeld();
    if (isHeld) expect([await writes(held.fence), await direct.holdKey(key, 'y')]).toEqual([true, undefined]);
    await held.release();
    return isHeld;
  };

  it('a leased key is renewed as long as its holder lives', async () => {
    // On a busy machine a lease of two seconds may well end before it is renewed; never each time.
    await until(outlivesItsLease, 'a holder who outlives his lease');
  });

  it('a leased key is lost to its holder before another one can have it, and the old holder’s writes are refused', async () => {
    const held = await take(store);
    proxy.stall();
    const next = await until(() => direct.holdKey(key, 'y'), 'the lease to expire');
    // By the clock: a process that was not scheduled for a while may hear of `lost` after the other one's success.
    expect([held.isHeld(), held.lost.aborted]).toEqual([false, true]);
    expect([await writes(held.fence), await writes(next.fence)]).toEqual([false, true]);
    expect(next.fence.createRevision).toBeGreaterThan(held.fence.createRevision);
    await next.release();
  });

  it('a leased key is lost when somebody revokes the lease', async () => {
    const held = await take(store);
    for (const { ID } of (await post<{ leases: { ID: string }[] }>('/v3/lease/leases', {})).leases)
      await post('/v3/lease/revoke', { ID });
    expect(await writes(held.fence)).toBe(false);
    await until(() => held.lost.aborted, 'the holder to learn it');
  });

  it('a leased key leaves no lease behind when it is given up, or could not be taken', async () => {
    const held = await take(direct);
    expect(await direct.holdKey(key, 'y')).toBeUndefined();
    await held.release();
    expect((await post<{ leases?: unknown[] }>('/v3/lease/leases', {})).leases ?? []).toEqual([]);
  });

  const post = async <T>(path: string, body: unknown): Promise<T> => {
    const answer = await fetch(etcd.endpoint + path, { method: 'POST', body: JSON.stringify(body) });
    return (await answer.json()) as T;
  };
});
