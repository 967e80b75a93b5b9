import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type EtcdStore } from '../../src/adapters/etcd/connect.ts';
import type { BrokerView, OwnBrokerView } from '../../src/api/contract/brokers.ts';
import type { HealthView } from '../../src/api/contract/health.ts';
import { call } from '../support/api.ts';
import { freePort } from '../support/etcd.ts';
import { createNode, type TestNode } from '../support/node.ts';
import { recordingLog } from '../support/recording-log.ts';
import { type ServicesSite, startSite } from '../support/services-site.ts';

import { until } from '../support/wait.ts';

describe('a second broker with the name of the first', () => {
  let site: ServicesSite;
  let store: EtcdStore;
  let first: TestNode;
  let second: TestNode;
  let endpoint: string;

  beforeAll(async () => {
    site = await startSite();
    first = (site.brokers[0] as ServicesSite['brokers'][0]).node;
    store = connect({ endpoints: [site.etcd.endpoint], requestTimeoutMs: 60_000, log: recordingLog() });
    endpoint = `tcp://127.0.0.1:${await freePort()}`;
    second = createNode({
      name: first.name,
      etcd: [site.etcd.endpoint],
      watch: 'enabled = false',
      config: `[broker]\nlisten = "${endpoint}"\nadvertise = "${endpoint}"\n`,
    });
  });
  afterAll(async () => {
    await store?.close();
    await second?.remove();
    await site?.remove();
  });

  const listed = async (node: TestNode) =>
    (await node.json<BrokerView[]>('broker', 'list')).map(({ endpoint }) => endpoint);
  /** Their keys and revisions: whoever writes changes them. */
  const issuers = async () =>
    (await store.list('/trigger/v1/registry/issuers/')).entries.map(({ key, modRevision }) => `${key} ${modRevision}`);

  it('a second broker with the name of a first is not listed, voids no tokens, and deletes nothing when it stops', async () => {
    const endpoints = site.brokers.map((broker) => broker.endpoint);
    const published = await issuers();
    expect(published).toHaveLength(1);
    await second.start();
    await until(async () => {
      const { name } = await call<HealthView>(second.socket, 'GET', '/v1/health');
      return name?.state === 'refused';
    }, 'the second one to be refused');
    await until(async () => {
      const { name } = await call<HealthView>(first.socket, 'GET', '/v1/health');
      return name?.refused.length === 1;
    }, 'the first one to know it');
    expect(await listed(second)).toEqual(endpoints);
    expect(await issuers()).toEqual(published);
    await second.stop();
    expect(await listed(first)).toEqual(endpoints);
    expect(await issuers()).toEqual(published);
  });

  it('a broker on the same machine gets the name, the key and the place in the list after the first one’s death', async () => {
    const before = await issuers();
    await first.crash();
    // Whoever was refused is no successor: an administrator says so.
    await second.start();
    await until(async () => (await store.get(`/trigger/v1/nodes/${first.name}`)) === undefined, 'the lease to be over');
    expect((await second.trigger('node', 'adopt', first.name)).exitCode).toBe(0);
    await until(async () => (await listed(second))[0] === endpoint, 'its place in the list');
    const own = await call<OwnBrokerView>(second.socket, 'GET', '/v1/broker');
    expect(own.endpoint).toBe(endpoint);
    await until(async () => {
      const now = await issuers();
      return now.length === 1 && now[0] !== before[0];
    }, 'its key in place of the other one');
  });
});
