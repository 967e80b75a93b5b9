import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type EtcdStore } from '../../../src/adapters/etcd/connect.ts';
import { Maintenance } from '../../../src/adapters/etcd/maintenance.ts';
import { Upkeep } from '../../../src/firings/sweep/upkeep.ts';
import { defaultQuotaBytes } from '../../../src/store/space.ts';
import { startCluster, type TestEtcd } from '../../support/etcd.ts';
import { recordingLog } from '../../support/recording-log.ts';

describe('the maintenance of a real cluster', () => {
  let cluster: TestEtcd[];
  let store: EtcdStore;
  const at = (endpoints: readonly string[], auth = {}) =>
    new Maintenance({
      etcd: { endpoints: endpoints as [string, ...string[]], log: recordingLog(), ...auth },
      prefix: '/trigger',
    });
  const endpoints = () => cluster.map(({ endpoint }) => endpoint);
  const put = (key: string, value: string) => store.commit({ compare: [], write: [{ put: key, value }] });

  beforeAll(async () => {
    cluster = await startCluster();
    store = connect({ endpoints: endpoints() as [string, ...string[]], requestTimeoutMs: 60_000, log: recordingLog() });
  });
  afterAll(async () => {
    await store?.close();
    await Promise.all(cluster.map((member) => member.stop()));
  });

  it('the maintenance of a cluster knows every member, those that are not configured by their own addresses', async () => {
    for (const maintenance of [at(endpoints()), at(endpoints().slice(0, 1))]) {
      const members = await maintenance.members();
      expect(members).toHaveLength(3);
      expect(members.filter((member) => member.kind === 'up' && member.isLeader)).toHaveLength(1);
      for (const member of members)
        expect(member).toMatchObject({ kind: 'up', isHealthy: true, hasNoSpace: false, quotaBytes: defaultQuotaBytes });
    }
  });

  it('the maintenance of a cluster compacts, also a second time; each member’s file is smaller after defragmentation', async () => {
    const maintenance = at(endpoints());
    const value = 'x'.repeat(500_000);
    let revision = 0n;
    for (let count = 0; count < 20; count++) ({ revision } = await put('/trigger/v1/large', value));
    const before = (await maintenance.measure()).fileBytes;
    await maintenance.compact(revision);
    await maintenance.compact(revision);
    for (const endpoint of endpoints()) await maintenance.defragment(endpoint);
    expect((await maintenance.measure()).fileBytes).toBeLessThan(before / 2);
    expect((await store.get('/trigger/v1/large'))?.value).toHaveLength(500_000);
  });

  it('the maintenance of a cluster finds foreign keys on both sides of the prefix', async () => {
    const maintenance = at(endpoints());
    expect(await maintenance.hasOtherKeys()).toBe(false);
    for (const key of ['/a', '/trigger-2/v1/a', '/trigger2/v1/a', '/triggerz']) {
      await put(key, '1');
      expect([key, await maintenance.hasOtherKeys()]).toEqual([key, true]);
      await store.commit({ compare: [], write: [{ delete: key }] });
    }
  });

  it('the maintenance of a cluster names an absent member, and measures with the others', async () => {
    const [, , third] = cluster;
    await third?.kill();
    const maintenance = at(endpoints());
    expect((await maintenance.members()).map(({ kind }) => kind).sort()).toEqual(['away', 'up', 'up']);
    expect((await maintenance.measure()).fileBytes).toBeGreaterThan(0);
    await third?.start();
  });

  it('the maintenance of a cluster is refused to a user without the right, and the upkeep says so once', async () => {
    const etcdctl = (...args: string[]) =>
      execa('etcdctl', ['--endpoints', endpoints()[0] ?? '', ...args], { env: { ETCDCTL_API: '3' } });
    await etcdctl('user', 'add', 'root:secret');
    await etcdctl('user', 'grant-role', 'root', 'root');
    await etcdctl('user', 'add', 'app:secret');
    await etcdctl('role', 'add', 'app');
    await etcdctl('role', 'grant-permission', 'app', '--prefix=true', 'readwrite', '/trigger/');
    await etcdctl('user', 'grant-role', 'app', 'app');
    await etcdctl('auth', 'enable');
    const auth = { auth: { username: 'app', password: 'secret' } };
    const maintenance = at(endpoints(), auth);
    await expect(maintenance.defragment(endpoints()[0] ?? '')).rejects.toMatchObject({ code: 'etcd-refused' });
    await expect(maintenance.hasOtherKeys()).rejects.toMatchObject({ code: 'etcd-refused' });
    const log = recordingLog();
    const members = async () =>
      (await maintenance.members()).map((member) => ({ ...member, usedBytes: 10, quotaBytes: 10 }));
    const full = Object.assign(Object.create(maintenance), { members, hasOtherKeys: () => maintenance.hasOtherKeys() });
    const upkeep = new Upkeep({ maintenance: full, mode: 'auto', compactAfterMs: 1, log });
    for (let round = 0; round < 5; round++) expect(await upkeep.tend(() => true)).toBe(true);
    expect(log.lines.map(({ message }) => message)).toEqual([expect.stringContaining('Could not compact')]);
  });
});
