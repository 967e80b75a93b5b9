import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, type EtcdStore } from '../../../src/adapters/etcd/connect.ts';
import { type Holder, serializeHolder } from '../../../src/fleet/names/holder.ts';
import { freeName } from '../../../src/fleet/names/name-records.ts';
import type { NodeName } from '../../../src/fleet/names/node-name.ts';
import type { NameHappening, NameHost, NodeNameOptions } from '../../../src/fleet/names/ports.ts';
import { nodes } from '../../../src/fleet/nodes.ts';
import { serializePresence } from '../../../src/fleet/wire.ts';
import { type Keys, keysBelow } from '../../../src/store/keys.ts';
import { startEtcd, type TestEtcd } from '../../support/etcd.ts';
import { collect } from '../../support/keystore-contract.ts';
import { fakeHost, fakeMemory, someHolder, someName } from '../../support/names.ts';
import { startProxy, type TcpProxy } from '../../support/proxy.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/wait.ts';

const node = 'lb01';
const presenceS = 2;

describe('the name of a node', () => {
  let etcd: TestEtcd;
  let proxy: TcpProxy;
  let direct: EtcdStore;
  let far: EtcdStore;
  let keys: Keys;
  let runs = 0;
  let started: NodeName[];

  beforeAll(async () => {
    etcd = await startEtcd();
    proxy = await startProxy(etcd.ports.client);
    direct = connect({ endpoints: [etcd.endpoint], requestTimeoutMs: 60_000, log: recordingLog() });
    far = connect({ endpoints: [`http://127.0.0.1:${proxy.port}`], log: recordingLog() });
  });
  afterAll(async () => {
    await Promise.all([far?.close(), direct?.close()]);
    await proxy?.close();
    await etcd?.stop();
  });
  beforeEach(() => {
    keys = keysBelow(`/run${++runs}`);
    started = [];
    return async () => {
      proxy.accept();
      await Promise.all(started.map((name) => name.close()));
    };
  });

  const start = (options: Partial<NodeNameOptions> = {}, store = direct): NodeName => {
    const name = someName({ store, keys }, { timing: { presenceS, holderS: 60 }, ...options });
    started.push(name);
    name.start();
    return name;
  };
  const held = (name: NodeName) => until(() => name.isHeld(), 'the name');
  const state = (name: NodeName) => {
    const { state } = name;
    return state.kind === 'waiting' || state.kind === 'refused' ? `${state.kind}: ${state.why}` : state.kind;
  };
  const reaches = (name: NodeName, wanted: string) => until(() => state(name) === wanted, wanted);
  const instance = async (key = keys.node(node)): Promise<string | null | undefined> => {
    const entry = await direct.get(key);
    return entry && (JSON.parse(entry.value) as { instance?: string }).instance;
  };
  const presence = (of: string | null) =>
    serializePresence({ node, version: '1', instance: of, roles: [], startedAt: 0, queues: {} });
  /** What a process leaves that has ended without a word. */
  const leftBy = async (holder: Holder, { holderS = 60 } = {}) => {
    const [short, long] = [await direct.lease(presenceS), await direct.lease(holderS)];
    const document = serializeHolder({ ...holder, taken_from: null });
    const puts = [
      { put: keys.node(node), value: presence(holder.instance), lease: short },
      { put: keys.holder(node), value: document, lease: long },
    ];
    await direct.commit({ compare: [], write: puts });
    return {
      die: () => {
        short.leave();
        long.leave();
      },
      short,
    };
  };

  it('a node’s name is kept for longer than its lease, written at most once a second, and given back', async () => {
    const { revision } = await direct.list('/');
    const seen = collect(direct.watch(keys.node(node), revision + 1n, new AbortController().signal));
    let writes = 0;
    const describe = () => ({ roles: [], startedAt: 0, queues: { default: { queued: ++writes, running: 0 } } });
    const startedAt = performance.now();
    const name = start({ describe, timing: { presenceS: 6 } });
    await until(() => {
      name.refresh();
      return writes >= 3 && performance.now() > startedAt + 7_000;
    }, 'more than a lease’s time, and three writes');
    await name.close();
    await until(() => seen.events.at(-1)?.kind === 'delete', 'the end of presence');
    const away = seen.events.filter(({ kind }) => kind === 'delete').length - 1;
    expect(writes).toBeLessThanOrEqual((performance.now() - startedAt) / 1_000 + 2 + away);
  });

  it('a node’s name stays while etcd is away, and its presence returns; each is logged once', async () => {
    const log = recordingLog();
    const name = start({ log }, far);
    await held(name);
    proxy.refuse();
    proxy.cut();
    await until(async () => (await instance()) === undefined, 'the lease to be over');
    expect([name.state.kind, name.isRefused()]).toEqual(['held', false]);
    expect(name.isHeld()).toBe(false);
    proxy.accept();
    await held(name);
    expect(await instance()).toBe('i1');
    await until(() => log.at('info').length > 0, 'the good news');
    expect([log.at('warn').length, log.at('info').length]).toEqual([1, 1]);
  });

  it('a node’s name and all that is kept under it are written again when somebody deletes or replaces them', async () => {
    const name = start();
    const kept = name.keep(`${keys.all}brokers/${node}`, () => JSON.stringify({ instance: 'mine' }));
    await held(name);
    const key = `${keys.all}brokers/${node}`;
    await until(async () => (await instance(key)) === 'mine', 'the key');
    const write = [
      { put: key, value: '{"instance":"twin"}' },
      { delete: keys.node(node) },
      { delete: keys.holder(node) },
    ];
    await direct.commit({ compare: [], write });
    for (const each of [key, keys.node(node), keys.holder(node)])
      await until(async () => ['mine', 'i1'].includes((await instance(each)) ?? ''), each);
    await kept.close();
    expect(await direct.get(key)).toBeUndefined();
  });

  it('a node’s name goes to one of two that claim it at once; the other is refused, both are named, and its end costs nothing', async () => {
    const told: NameHappening[] = [];
    const logs = [recordingLog(), recordingLog()];
    const names = logs.map((log, index) =>
      start({ host: fakeHost(`i${index + 1}`), log, tell: (happened) => told.push(happened) }),
    );
    const winner = await until(() => names.find((name) => name.isHeld()), 'a holder');
    const loser = names.find((name) => name !== winner) as NodeName;
    await reaches(loser, 'refused: present');
    const both = { holder: { instance: winner.self.instance }, refused: { instance: loser.self.instance } };
    await until(() => winner.state.kind === 'held' && winner.state.rivals.length === 1, 'the holder to know it');
    expect(told.filter(({ kind }) => kind === 'node.refused')).toMatchObject([both, both]);
    for (const log of logs) expect(log.at('error')).toMatchObject([{ fields: both }]);
    expect(await nodes({ store: direct, keys })).toMatchObject([
      { node, present: true, holder: both.holder, refused: [both.refused] },
    ]);
    await loser.close();
    expect(await instance()).toBe(winner.self.instance);
    await until(() => winner.state.kind === 'held' && winner.state.rivals.length === 0, 'the other one to be gone');
  });

  it('a node’s name goes at once to the restart of a process that is known to be dead', async () => {
    const { die } = await leftBy(someHolder({ instance: 'crashed' }));
    die();
    const name = start({ host: fakeHost('i1', 'm1', { crashed: 'dead' }) });
    await held(name);
    expect(await instance()).toBe('i1');
  });

  it('a node’s name goes to the same machine once the lease of its last start has ended', async () => {
    const { die } = await leftBy(someHolder({ instance: 'before' }));
    const name = start({ memory: fakeMemory({ instances: ['before'] }) });
    await reaches(name, 'waiting: predecessor');
    die();
    await held(name);
  });

  it('a node’s name is refused to a clone with a copy of the state folder, also during a restart', async () => {
    const original = start();
    await held(original);
    const copied = fakeMemory({ instances: ['i1'] });
    const clone = start({ host: fakeHost('i2'), memory: copied });
    await reaches(clone, 'refused: present');
    expect(copied.remembered.refusedBy).toEqual({ holder: 'i1' });
    await original.close();
    await reaches(clone, 'refused: elsewhere');
    // The clone’s restart is no better.
    await clone.close();
    const again = start({ host: fakeHost('i3'), memory: copied });
    await reaches(again, 'refused: elsewhere');
    const restarted = start({ host: fakeHost('i4'), memory: fakeMemory({ instances: ['i1'] }) });
    await held(restarted);
    expect(await instance()).toBe('i4');
  });

  it('a node’s name stays with a stopped process of this machine whose lease has ended', async () => {
    const { short } = await leftBy(someHolder({ instance: 'stopped' }));
    await short.end();
    const name = start({
      host: fakeHost('i1', 'm1', { stopped: 'alive' }),
      memory: fakeMemory({ instances: ['stopped'] }),
    });
    await reaches(name, 'refused: alive');
    expect(await instance()).toBeUndefined();
  });

  it('a node’s name goes to another machine when the holder key has ended, with an event that names both', async () => {
    const log = recordingLog();
    const told: NameHappening[] = [];
    const first = start({ timing: { presenceS, holderS: 4 } });
    await held(first);
    const tell = (happened: NameHappening) => void told.push(happened);
    const second = start({ host: fakeHost('i2', 'm2'), timing: { presenceS, holderS: 4 }, log, tell });
    await reaches(second, 'refused: present');
    await first.close();
    await reaches(second, 'refused: elsewhere');
    await held(second);
    expect(told.at(-1)).toMatchObject({
      kind: 'node.taken-over',
      holder: { instance: 'i2', machine: 'm2' },
      from: { machine: 'm1', host: 'host-m1' },
    });
    expect(log.at('warn').at(-1)?.message).toBe('This machine has taken over the node’s name');
  });

  it('a node’s name goes to another machine that has seen the holder away for long, before the holder key has ended', async () => {
    const first = start({ timing: { presenceS, holderS: 600 } });
    await held(first);
    const second = start({ host: fakeHost('i2', 'm2'), timing: { presenceS, holderS: 600, goneS: 1 } });
    await reaches(second, 'refused: present');
    await first.close();
    await held(second);
    expect(await instance(keys.holder(node))).toBe('i2');
  });

  it('a node’s name with takeover = "adopt" waits for adoption, which is refused while a daemon has the name', async () => {
    const first = start({ takeover: 'adopt' });
    await held(first);
    await expect(freeName({ store: direct, keys }, node)).rejects.toMatchObject({ code: 'node-present' });
    await expect(freeName({ store: direct, keys }, 'nobody')).rejects.toMatchObject({ code: 'node-not-found' });
    await first.close();
    const [holder] = await direct.getMany([keys.holder(node)]);
    expect(holder, 'a holder key that stays').toBeDefined();
    let looks = 0;
    const host: NameHost = {
      ...fakeHost('i2', 'm2'),
      lifeOf: () => {
        looks++;
        return 'unknown';
      },
    };
    const second = start({ host, timing: { presenceS, holderS: 60, goneS: 0 } });
    await until(() => looks > 3, 'more than two looks at one who is away');
    expect(state(second)).toBe('refused: elsewhere');
    await freeName({ store: direct, keys }, node);
    await held(second);
  });

  it('a node’s name waits for the end of an earlier version’s lease, and yields when such a daemon appears', async () => {
    const lease = await direct.lease(presenceS);
    const put = [
      { put: keys.node(node), value: JSON.stringify({ ...JSON.parse(presence('x')), instance: undefined }), lease },
    ];
    await direct.commit({ compare: [], write: put });
    const name = start();
    await reaches(name, 'waiting: predecessor');
    lease.leave();
    await held(name);
    const kept = name.keep(`${keys.all}brokers/${node}`, () => '{}');
    await until(() => direct.get(`${keys.all}brokers/${node}`), 'what is kept under the name');
    const twin = await direct.lease(60);
    await direct.commit({ compare: [], write: put.map((each) => ({ ...each, lease: twin })) });
    await until(() => name.isRefused(), 'the name to be given up');
    await until(async () => (await direct.get(`${keys.all}brokers/${node}`)) === undefined, 'what was kept to be gone');
    expect(name.isHeld()).toBe(false);
    const [row] = await nodes({ store: direct, keys });
    expect([row?.present, row?.holder]).toEqual([true, null]);
    await twin.end();
    await held(name);
    await kept.close();
  });

  it('a node’s name goes to nobody new while etcd is away', async () => {
    proxy.refuse();
    proxy.cut();
    const log = recordingLog();
    const name = start({ log }, far);
    await until(() => log.at('warn').length > 0, 'the failure to be said');
    expect([name.state.kind, name.isHeld()]).toEqual(['asking', false]);
    proxy.accept();
    await held(name);
  });
});
