import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, type EtcdStore } from '../../../../src/adapters/etcd/connect.ts';
import { publishFiring } from '../../../../src/firings/publish/publish.ts';
import { Sweeper, type SweeperOptions } from '../../../../src/firings/sweep/sweeper.ts';
import { type Keys, keysBelow } from '../../../../src/store/keys.ts';
import { startEtcd, type TestEtcd } from '../../../support/etcd.ts';
import { startProxy, type TcpProxy } from '../../../support/proxy.ts';
import { recordingLog } from '../../../support/recording-log.ts';
import { finish } from '../../../support/sweeping.ts';
import { until } from '../../../support/wait.ts';
import { someFiring } from '../../../support/watch-room.ts';

/** Long enough for a busy machine; where an election has to be lost it is two seconds. */
const heldTtlS = 60;

describe('the sweeper on a real etcd', () => {
  let etcd: TestEtcd;
  let proxy: TcpProxy;
  let direct: EtcdStore;
  let keys: Keys;
  let run = 0;
  const stops: (() => Promise<void>)[] = [];

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
  });
  afterEach(async () => {
    proxy.accept();
    proxy.resume();
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  const sweeperAt = (endpoint: string, more: Partial<SweeperOptions> = {}, ttlS = heldTtlS) => {
    const log = recordingLog();
    const store = connect({ endpoints: [endpoint], timing: { heldTtlS: ttlS }, log });
    const sweeper = new Sweeper({
      ...{ store, keys, node: 'web01', clock: Date, log },
      ...{
        everyMs: 100,
        abandonedMs: 200,
        firingsKept: 1_000,
        firingsMaxAgeMs: 86_400_000,
        requestsMaxAgeMs: 86_400_000,
        requestsSize: 64 * 2 ** 20,
      },
      ...more,
    });
    sweeper.start();
    const stop = async () => {
      await sweeper.stop();
      await store.close();
    };
    stops.push(stop);
    return { sweeper, log, stop };
  };
  const owedAndExpired = async (): Promise<string> => {
    const firing = someFiring({ expiresAt: '2026-01-01T00:00:00.000Z' });
    await publishFiring({ store: direct, keys }, firing);
    return firing.id;
  };
  const isExpired = async (id: string) =>
    (await direct.get(keys.outcome(id, 'lb01.example.com')))?.value.includes('"expired"') ?? false;

  it('one of many sweepers is elected, and another continues when it stops', async () => {
    const many = [1, 2, 3, 4].map(() => sweeperAt(etcd.endpoint));
    const isElected = () => many.filter(({ sweeper }) => sweeper.isElected);
    for (let remaining = many.length; remaining > 0; remaining--) {
      await until(() => isElected().length > 0, 'an elected one');
      const id = await owedAndExpired();
      await until(() => isExpired(id), 'the expiry');
      expect(isElected()).toHaveLength(1);
      const [one] = isElected();
      await one?.stop();
    }
    expect(await direct.get(keys.election('sweeper'))).toBeUndefined();
  });

  it('the sweeper stops by its own clock when it is cut off, and does nothing more when it is back late', async () => {
    const frozen = sweeperAt(`http://127.0.0.1:${proxy.port}`, {}, 2);
    await until(() => frozen.sweeper.isElected, 'the first one to be elected');
    proxy.stall();
    const other = sweeperAt(etcd.endpoint);
    await until(() => other.sweeper.isElected, 'the other one to be elected');
    expect(frozen.sweeper.isElected).toBe(false);
    proxy.resume();
    const id = await owedAndExpired();
    await until(() => isExpired(id), 'the expiry');
    expect([frozen.sweeper.isElected, other.sweeper.isElected]).toEqual([false, true]);
  });

  it('the sweeper continues after etcd was away, and says so once', async () => {
    const { sweeper, log } = sweeperAt(etcd.endpoint);
    await until(() => sweeper.isElected, 'the election');
    await etcd.kill();
    await until(() => log.at('warn').length > 0, 'the complaint');
    await etcd.start();
    const id = await owedAndExpired();
    await until(() => isExpired(id), 'the expiry');
    expect(log.at('warn')).toHaveLength(1);
  });

  it('the sweeper bounds the number of keys under churn', async () => {
    const place = { store: direct, keys };
    const { sweeper } = sweeperAt(etcd.endpoint, { firingsKept: 200, firingsMaxAgeMs: Number.MAX_SAFE_INTEGER });
    await until(() => sweeper.isElected, 'the election');
    for (let batch = 0; batch < 10; batch++) {
      const firings = Array.from({ length: 100 }, () => someFiring());
      await Promise.all(firings.map((firing) => publishFiring(place, firing)));
      await Promise.all(firings.map(({ id }) => finish(place, id, 'lb01.example.com')));
    }
    await until(async () => (await direct.count(keys.firings)) <= 202, 'the surplus to go');
    // Firings, their outcomes, and the election.
    await until(async () => (await direct.count(`/run${run}/`)) <= 2 * 202 + 1, 'what belongs to them to go');
  });

  it('the sweeper asks etcd for little while there is nothing to do', async () => {
    const { sweeper, log } = sweeperAt(etcd.endpoint, { everyMs: 50 });
    await until(() => sweeper.isElected, 'the election');
    const own = async () => (await direct.list(`/run${run}/`)).entries;
    const before = await own();
    const wait = performance.now() + 500;
    await until(() => performance.now() > wait, 'ten rounds');
    expect(await own()).toEqual(before);
    expect(log.lines.map(({ message }) => message)).toEqual(['This node is the sweeper']);
  });
});
