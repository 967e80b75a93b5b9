import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, type EtcdStore } from '../../../src/adapters/etcd/connect.ts';
import { registryKeysBelow } from '../../../src/registry/keys.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { startEtcd, type TestEtcd } from '../../support/etcd.ts';
import { startProxy, type TcpProxy } from '../../support/proxy.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { local, openAccounts, openRegistry, password, type TestAccounts } from '../../support/registry.ts';
import { until } from '../../support/wait.ts';

describe('a broker’s mirror of the registry', () => {
  let etcd: TestEtcd;
  let proxy: TcpProxy;
  /** Straight to etcd, for everybody else. */
  let direct: EtcdStore;
  let others: Registry;
  /** Through the proxy. */
  let store: EtcdStore;
  let broker: TestAccounts;
  let log: ReturnType<typeof recordingLog>;
  let prefix: string;
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
  beforeEach(async () => {
    prefix = `/run${++runs}`;
    others = openRegistry({ store: direct, prefix });
    await others.initialise({ team: 'team1', identity: 'hp', secret: password });
    log = recordingLog();
    store = connect({ endpoints: [`http://127.0.0.1:${proxy.port}`], log });
    broker = await openAccounts({ store, prefix, log });
    return async () => {
      proxy.accept();
      await broker.close();
      await store.close();
    };
  });

  const change = (statement: object) => others.execute(local, { team: 'team1', ...statement });

  it('a broker’s mirror stays valid while etcd is away, and receives every change afterwards', async () => {
    const { jwt } = await broker.accounts.login({ team: 'team1', identity: 'hp', secret: password });
    proxy.refuse();
    proxy.cut();
    await until(() => log.lines.some(({ message }) => message.startsWith('Cannot watch the registry')), 'a word');
    expect(broker.mirrored.callerOf(jwt)).toMatchObject({ identity: 'hp' });
    await broker.accounts.login({ team: 'team1', identity: 'hp', secret: password });
    await expect(broker.registry.execute(local, { verb: 'worker.list', team: 'team1' })).rejects.toMatchObject({
      code: 'etcd-unreachable',
    });

    await change({ verb: 'user.revoke', identity: 'hp' });
    await change({ verb: 'worker.add', identity: 'demo01' });
    expect(broker.mirrored.callerOf(jwt)).toMatchObject({ identity: 'hp' });
    proxy.accept();
    await until(() => broker.mirrored.servicesOf('team1', 'demo01'), 'the worker to be known');
    expect(() => broker.mirrored.callerOf(jwt)).toThrow('the token is not valid');
    expect(log.lines.filter(({ message }) => message.startsWith('Cannot watch the registry'))).toHaveLength(1);
  });

  it('a broker’s mirror ignores malformed entries, with one line each, and has the rest', async () => {
    const keys = registryKeysBelow(prefix);
    const team = JSON.stringify({ format: 1, id: 1, name: 'other', members: {} });
    const nonsense: Record<string, string> = {
      [keys.user('eve')]: 'not JSON',
      [keys.user('bob')]: JSON.stringify({ format: 1, identity: 'bob' }),
      [keys.worker('team1', 'w')]: JSON.stringify({ format: 2 }),
      [keys.service('team1', 's')]: '[]',
      [keys.team('mine')]: team,
      [`${keys.all}teams/a/b/c/d/e`]: '{}',
      [`${keys.all}nothing/of/ours`]: '{}',
      [keys.node('team1', 0, 'x')]: `{"format":1,"kind":"link"}`,
      [keys.hits('team1', 1, 'n')]: '{"format":1,"hits":-1}',
    };
    for (const [put, value] of Object.entries(nonsense)) await direct.commit({ compare: [], write: [{ put, value }] });
    await change({ verb: 'worker.add', identity: 'demo01' });
    await until(() => broker.mirrored.servicesOf('team1', 'demo01'), 'the worker to be known');
    const { users, teams } = broker.mirrored.state;
    expect([[...users.keys()], [...teams.keys()]]).toEqual([['hp'], ['team1']]);
    const complaints = log.lines.filter(({ message }) => message.startsWith('An entry of the registry is malformed'));
    expect(complaints).toHaveLength(7);
    // It can be put in order by those who may.
    await direct.commit({ compare: [], write: [{ delete: keys.user('eve') }] });
    await change({ verb: 'user.add', identity: 'eve', secret: password });
  });

  it('a malformed guard stops changes of its own team only, and the error names its key', async () => {
    const keys = registryKeysBelow(prefix);
    await change({ verb: 'worker.add', identity: 'demo01' });
    await direct.commit({ compare: [], write: [{ put: keys.teamGuard('team1'), value: '{}' }] });
    await expect(change({ verb: 'worker.add', identity: 'demo02' })).rejects.toMatchObject({
      code: 'firing-malformed',
      message: expect.stringContaining(keys.teamGuard('team1')),
    });
    expect((await change({ verb: 'worker.list' })).rows).toHaveLength(1);
    await change({ verb: 'user.add', identity: 'eve', secret: password });
  });

  it('a broker’s key for tokens is written again when somebody has deleted it', async () => {
    const { kid } = broker.issuer;
    await direct.commit({ compare: [], write: [{ delete: registryKeysBelow(prefix).issuer(kid) }] });
    const isBack = async () => (await direct.get(registryKeysBelow(prefix).issuer(kid))) !== undefined;
    await until(isBack, 'the key to be published again');
    await until(() => broker.mirrored.state.issuers.has(kid), 'the mirror to know');
    const { jwt } = await broker.accounts.login({ team: 'team1', identity: 'hp', secret: password });
    expect(broker.mirrored.callerOf(jwt)).toMatchObject({ identity: 'hp' });
  });
});

describe('the history of requests', () => {
  let etcd: TestEtcd;
  let store: EtcdStore;
  let registry: Registry;
  const log = recordingLog();
  const keys = registryKeysBelow('/trigger');

  beforeAll(async () => {
    etcd = await startEtcd();
    store = connect({ endpoints: [etcd.endpoint], requestTimeoutMs: 60_000, log });
    registry = openRegistry({ store, prefix: '/trigger', log });
    await registry.initialise({ team: 'team1', identity: 'hp', secret: password });
    await registry.execute(local, { verb: 'team.add', name: 'other' });
    // 40 pages with 3 requests each, in the order of time; the last ones are another service's.
    for (let page = 0; page < 40; page++) {
      const records = [0, 1, 2].map((each) => record(page * 3 + each));
      const put = `${keys.histories('team1')}${ulid(page)}`;
      await store.commit({ compare: [], write: [{ put, value: JSON.stringify({ format: 1, records }) }] });
    }
    const broken = `${keys.histories('team1')}${ulid(40)}`;
    await store.commit({ compare: [], write: [{ put: broken, value: '{"format":1,"records":[{}]}' }] });
  });
  afterAll(async () => {
    await store?.close();
    await etcd?.stop();
  });

  const ulid = (number: number): string => `01J${String(number).padStart(23, '0')}`;
  const record = (number: number) => ({
    id: ulid(number),
    team: 'team1',
    user: 'hp',
    service: number < 117 ? 'demoservice' : 'late',
    service_team: 'team1',
    plugin: 'command/command',
    command: 'uptime',
    received_at: new Date(number * 1_000).toISOString(),
    finished_at: new Date(number * 1_000 + 500).toISOString(),
    result: 'succeeded',
    exit_code: 0,
    reason: null,
    legs: [
      {
        worker: `demo0${number % 2}`,
        node: 'web01',
        job_id: number,
        result: 'succeeded',
        exit_code: 0,
        reason: null,
        ran_ms: 3,
        output_bytes: 3,
        output_tail: 'up\n',
      },
    ],
  });
  const list = async (more: object = {}, team = 'team1'): Promise<string[]> =>
    (await registry.execute(local, { verb: 'history.list', team, ...more })).rows.map(
      (row) => (row as { id: string }).id,
    );

  it('the history of requests lists the newest first, by service, worker and ID, also over a malformed page', async () => {
    expect(await list({ limit: 4 })).toEqual([119, 118, 117, 116].map(ulid));
    expect(await list()).toHaveLength(100);
    expect(await list({ limit: 1_000 })).toHaveLength(120);
    expect(await list({ service: 'late' })).toEqual([119, 118, 117].map(ulid));
    expect(await list({ worker: 'demo01', limit: 2 })).toEqual([119, 117].map(ulid));
    expect(await list({ request: ulid(5) })).toEqual([ulid(5)]);
    expect(log.lines.some(({ message }) => message.startsWith('Ignoring a malformed page of the history'))).toBe(true);
  });

  it('the history of requests has a request once that two brokers report, and twice where its ID was used twice', async () => {
    await registry.execute(local, { verb: 'team.add', name: 'twice' });
    const [leg] = record(7).legs;
    const later = { ...record(7), team: 'twice', finished_at: new Date(9_000).toISOString() };
    const pages = [
      [
        { ...record(7), team: 'twice' },
        { ...later, command: 'rm' },
      ],
      [later, { ...later, legs: [{ ...leg, job_id: 8 }] }],
    ];
    for (const [number, records] of pages.entries()) {
      const put = `${keys.histories('twice')}${ulid(number)}`;
      await store.commit({ compare: [], write: [{ put, value: JSON.stringify({ format: 1, records }) }] });
    }
    const { rows } = await registry.execute(local, { verb: 'history.list', team: 'twice' });
    expect(rows).toHaveLength(3);
    expect(rows).toContainEqual(later);
  });

  it('the history of requests is in the order of etcd’s revisions, whatever the brokers’ clocks say', async () => {
    await registry.execute(local, { verb: 'team.add', name: 'clocks' });
    for (const [number, request] of [
      [9, 1],
      [2, 4],
      [5, 3],
    ] as const) {
      const records = [request * 10, request * 10 + 1].map((each) => ({ ...record(each), team: 'clocks' }));
      const put = `${keys.histories('clocks')}${ulid(number)}`;
      await store.commit({ compare: [], write: [{ put, value: JSON.stringify({ format: 1, records }) }] });
    }
    expect(await list({}, 'clocks')).toEqual([31, 30, 41, 40, 11, 10].map(ulid));
  });

  it('the history of requests shows a team its own requests only', async () => {
    expect(await list({}, 'other')).toEqual([]);
    const eve = { kind: 'user', identity: 'eve', team: 'other' } as const;
    await expect(registry.execute(eve, { verb: 'history.list', team: 'team1' })).rejects.toMatchObject({
      code: 'registry-not-found',
    });
  });

  it('the history of requests shows a member what they may see, and the limit counts only that', async () => {
    await registry.execute(local, { verb: 'user.add', team: 'other', identity: 'mia', secret: password });
    await registry.execute(local, { verb: 'service.add', team: 'other', name: 'hidden' });
    const later = { team: 'other', received_at: '2099-01-01T00:00:00.000Z' };
    const records = [
      { ...record(1), ...later, user: 'mia' },
      { ...record(2), ...later, service: 'hidden', service_team: 'other' },
    ];
    const put = `${keys.histories('other')}${ulid(0)}`;
    await store.commit({ compare: [], write: [{ put, value: JSON.stringify({ format: 1, records }) }] });
    const mia = { kind: 'user', identity: 'mia', team: 'other' } as const;
    const { rows } = await registry.execute(mia, { verb: 'history.list', team: 'other', limit: 1 });
    expect(rows).toEqual([records[0]]);
    expect(await list({}, 'other')).toHaveLength(2);
  });

  it('the history of requests ends with its team', async () => {
    await registry.execute(local, { verb: 'team.add', name: 'brief' });
    const put = `${keys.histories('brief')}${ulid(0)}`;
    await store.commit({ compare: [], write: [{ put, value: JSON.stringify({ format: 1, records: [record(0)] }) }] });
    expect(await list({}, 'brief')).toHaveLength(1);
    await registry.execute(local, { verb: 'team.delete', name: 'brief' });
    expect(await store.count(keys.histories('brief'))).toBe(0);
  });
});
