import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { explainOutage } from '../../../src/adapters/etcd/cast-error.ts';
import type { EtcdOptions } from '../../../src/adapters/etcd/client.ts';
import { connect, type EtcdStore } from '../../../src/adapters/etcd/connect.ts';
import { examineMember } from '../../../src/adapters/etcd/examine-member.ts';
import { TriggerdError } from '../../../src/domain/errors.ts';
import { silentLog } from '../../../src/kit/log.ts';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';
import { startEtcd, type TestEtcd } from '../../support/etcd.ts';
import { collect } from '../../support/keystore-contract.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/wait.ts';

const stores: EtcdStore[] = [];
const open = (etcd: TestEtcd, changes: Partial<EtcdOptions>): EtcdStore => {
  const store = connect({ endpoints: [etcd.endpoint], requestTimeoutMs: 30_000, log: recordingLog(), ...changes });
  stores.push(store);
  return store;
};
const put = (store: EtcdStore, key: string) => store.commit({ compare: [], write: [{ put: key, value: 'x' }] });
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

describe('etcd over TLS', () => {
  let certificates: Certificates;
  let etcd: TestEtcd;
  const file = (name: string) => certificates.file(name);
  const read = (name: string) => readFileSync(file(name));

  beforeAll(async () => {
    certificates = makeCertificates();
    etcd = await startEtcd({ tls: { ca: file('ca.pem'), cert: file('server.pem'), key: file('server.key') } });
  });
  afterAll(async () => {
    await etcd?.stop();
    certificates?.remove();
  });

  it('etcd over TLS serves reads, writes and watches with a client certificate', async () => {
    const store = open(etcd, { tls: { ca: read('ca.pem'), cert: read('client.pem'), key: read('client.key') } });
    const { revision } = await put(store, '/tls/1');
    const seen = collect(store.watch('/tls/', revision, new AbortController().signal));
    await until(() => seen.events.length === 1, 'the event');
    expect((await store.get('/tls/1'))?.value).toBe('x');
  });

  it.each([
    ['without a client certificate', 'etcd-client-certificate', () => ({ ca: read('ca.pem') })],
    [
      'with a certificate of another authority',
      'etcd-client-certificate',
      () => ({ ca: read('ca.pem'), cert: read('stranger.pem'), key: read('stranger.key') }),
    ],
    [
      'when the server’s certificate is not by our authority',
      'etcd-certificate',
      () => ({ ca: read('other.pem'), cert: read('client.pem'), key: read('client.key') }),
    ],
  ])('etcd over TLS serves nothing %s', async (_, code, tls) => {
    await expect(open(etcd, { tls: tls() }).get('/tls/1')).rejects.toMatchObject({ code });
    const options = { endpoints: [etcd.endpoint] as const, tls: tls(), log: silentLog };
    await expect(examineMember(etcd.endpoint, '/tls/1', options), 'for the doctor').rejects.toMatchObject({ code });
  });

  it('an endpoint with http:// at etcd over TLS is told to need https://', async () => {
    const endpoint = etcd.endpoint.replace('https', 'http');
    const message = expect.stringContaining(`${endpoint}: etcd uses TLS: write https://`);
    await expect(open({ ...etcd, endpoint }, {}).get('/tls/1')).rejects.toMatchObject({
      code: 'etcd-wants-tls',
      message,
    });
    const asked = examineMember(endpoint, '/tls/1', { endpoints: [endpoint], log: silentLog });
    await expect(asked, 'for the doctor').rejects.toMatchObject({ code: 'etcd-wants-tls', message });
  });

  it.each([
    ['expired', 'certificate has expired'],
    ['misnamed', 'does not match certificate'],
  ])('a certificate of etcd’s is reported as wrong when it is %s', async (name, words) => {
    const file = (each: string): string => certificates.file(each);
    const bad = await startEtcd({
      tls: { ca: file('ca.pem'), cert: file(`${name}.pem`), key: file(`${name}.key`) },
      asksForCertificates: false,
    });
    try {
      const answer = open(bad, { tls: { ca: read('ca.pem') } }).get('/k');
      await expect(answer).rejects.toMatchObject({ code: 'etcd-certificate', message: expect.stringContaining(words) });
    } finally {
      await bad.stop();
    }
  });
});

describe('etcd without TLS', () => {
  it('an endpoint with https:// at etcd without TLS is told to need http://', async () => {
    const etcd = await startEtcd();
    try {
      const endpoint = etcd.endpoint.replace('http', 'https');
      await expect(open({ ...etcd, endpoint }, {}).get('/k')).rejects.toMatchObject({ code: 'etcd-wants-http' });
    } finally {
      await etcd.stop();
    }
  });
});

describe('an endpoint with https:// whose connection was reset', () => {
  it.each([
    [200, 'etcd-wants-http'],
    // As web servers with TLS answer a request without.
    [400, 'etcd-unreachable'],
  ])('an https:// endpoint that resets, and answers plain HTTP with %i, is reported as %s', async (status, code) => {
    const server = createServer((_, response) => void response.writeHead(status).end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const broken = new TriggerdError('etcd-unreachable', `asking ${endpoint}: read ECONNRESET`);
      expect(await explainOutage(broken, endpoint)).toMatchObject({ code });
    } finally {
      server.close();
    }
  });
});

describe('etcd with user and password', () => {
  let etcd: TestEtcd;
  const auth = { username: 'root', password: 'secret' };

  beforeAll(async () => {
    etcd = await startEtcd();
    const etcdctl = (...args: string[]) =>
      execFileSync('etcdctl', ['--endpoints', etcd.endpoint, ...args], {
        env: { PATH: process.env['PATH'], ETCDCTL_API: '3' },
        stdio: 'pipe',
      });
    etcdctl('user', 'add', 'root:secret');
    etcdctl('user', 'grant-role', 'root', 'root');
    etcdctl('user', 'add', 'reader:secret');
    etcdctl('role', 'add', 'reader');
    etcdctl('role', 'grant-permission', 'reader', '--prefix=true', 'read', '/open/');
    etcdctl('user', 'grant-role', 'reader', 'reader');
    etcdctl('auth', 'enable');
  });
  afterAll(() => etcd?.stop());

  it('etcd with user and password serves reads, writes, watches and presence', async () => {
    const store = open(etcd, { auth });
    const { revision } = await put(store, '/auth/1');
    const seen = collect(store.watch('/auth/', revision, new AbortController().signal));
    const lease = await store.lease(60);
    await store.commit({ compare: [], write: [{ put: '/auth/presence', value: 'here', lease }] });
    await until(() => seen.events.length >= 2, 'the events');
    await lease.end();
  });

  it('the adapter logs in again after a restart of etcd has made the token invalid', async () => {
    const store = open(etcd, { auth });
    await put(store, '/auth/2');
    const { revision } = await store.list('/auth/');
    const first = collect(store.watch('/auth/', revision + 1n, new AbortController().signal));
    await until(() => first.batches.length > 0, 'the watch');
    await etcd.kill();
    await etcd.start();
    expect(await first.ended).toMatchObject({ code: 'etcd-unreachable' });
    await until(() => put(store, '/auth/3').catch(() => undefined), 'a write');
    const second = collect(store.watch('/auth/', revision + 1n, new AbortController().signal));
    await until(() => second.events.length > 0, 'the event that the first watch missed');
  });

  it('the adapter names the refusal of etcd: a wrong password, no password, no permission', async () => {
    const wrong = open(etcd, { auth: { username: 'root', password: 'guess' } });
    const reader = open(etcd, { auth: { username: 'reader', password: 'secret' } });
    const attempts = [
      () => wrong.get('/k'),
      () => open(etcd, {}).get('/k'),
      () => put(reader, '/open/1'),
      () => reader.get('/k'),
    ];
    for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: 'etcd-refused' });
    expect((await reader.list('/open/')).entries).toEqual([]);
  });

  it('a watch without permission ends with an error, and the next one works', async () => {
    const store = open(etcd, { auth: { username: 'reader', password: 'secret' } });
    const forbidden = collect(store.watch('/closed/', 1n, new AbortController().signal));
    expect(await forbidden.ended).toBeInstanceOf(Error);
    const allowed = collect(store.watch('/open/', 1n, new AbortController().signal));
    await until(() => allowed.batches.length > 0, 'the watch');
  });
});
