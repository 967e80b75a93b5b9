import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Etcd3 } from 'etcd3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EtcdOptions } from '../../../src/adapters/etcd/client.ts';
import { isOpenToStrangers } from '../../../src/adapters/etcd/examine-member.ts';
import { silentLog } from '../../../src/kit/log.ts';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';
import { freePort, startEtcd, type TestEtcd } from '../../support/etcd.ts';

const key = '/trigger/v1/doctor';

describe('an etcd and somebody without credentials', () => {
  let certificates: Certificates;
  const started: TestEtcd[] = [];
  const etcdWith = async (options: Parameters<typeof startEtcd>[0] = {}): Promise<TestEtcd> => {
    const etcd = await startEtcd(options);
    started.push(etcd);
    return etcd;
  };
  const pem = (name: string): Buffer => readFileSync(certificates.file(name));
  const ask = (endpoint: string, more: Partial<EtcdOptions> = {}): Promise<boolean> =>
    isOpenToStrangers(endpoint, key, { endpoints: [endpoint], log: silentLog, ...more });

  beforeAll(() => {
    certificates = makeCertificates();
  });
  afterAll(async () => {
    await Promise.all(started.map((etcd) => etcd.stop()));
    certificates?.remove();
  });

  it('an etcd without TLS and users is open, and the attempt writes nothing', async () => {
    const { endpoint } = await etcdWith();
    expect(await ask(endpoint)).toBe(true);
    const client = new Etcd3({ hosts: endpoint });
    const { kvs, header } = await client.getAll().exec();
    client.close();
    expect(kvs).toEqual([]);
    expect(header.revision).toBe('1');
  });

  it('TLS of the server alone keeps nobody out', async () => {
    const tls = {
      ca: certificates.file('ca.pem'),
      cert: certificates.file('server.pem'),
      key: certificates.file('server.key'),
    };
    const { endpoint } = await etcdWith({ tls, asksForCertificates: false });
    expect(await ask(endpoint, { tls: { ca: pem('ca.pem') } })).toBe(true);
    // Neither does a certificate of ours that etcd does not ask for.
    const own = { ca: pem('ca.pem'), cert: pem('client.pem'), key: pem('client.key') };
    expect(await ask(endpoint, { tls: own })).toBe(true);
  });

  it('an etcd that asks for client certificates is closed', async () => {
    const tls = {
      ca: certificates.file('ca.pem'),
      cert: certificates.file('server.pem'),
      key: certificates.file('server.key'),
    };
    const { endpoint } = await etcdWith({ tls });
    const own = { ca: pem('ca.pem'), cert: pem('client.pem'), key: pem('client.key') };
    expect(await ask(endpoint, { tls: own })).toBe(false);
  });

  it('an etcd with users is closed, also to a daemon whose password is wrong', async () => {
    const { endpoint } = await etcdWith();
    const etcdctl = (...args: string[]) =>
      execFileSync('etcdctl', ['--endpoints', endpoint, ...args], {
        env: { ...process.env, ETCDCTL_API: '3' },
        stdio: 'pipe',
      });
    etcdctl('user', 'add', 'root:hush');
    etcdctl('user', 'grant-role', 'root', 'root');
    etcdctl('auth', 'enable');
    expect(await ask(endpoint, { auth: { username: 'root', password: 'hush' } })).toBe(false);
    expect(await ask(endpoint, { auth: { username: 'root', password: 'wrong' } })).toBe(false);
  });

  it('an etcd that does not answer counts neither as open nor as closed', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    await expect(ask(endpoint)).rejects.toMatchObject({ code: 'etcd-unreachable' });
  });

  it('a full etcd is open, too', async () => {
    const { endpoint } = await etcdWith({ args: ['--quota-backend-bytes', String(64 * 1024)] });
    const client = new Etcd3({ hosts: endpoint });
    const fill = async (): Promise<void> => {
      for (let at = 0; ; at++) await client.put(`/fill/${at}`).value('x'.repeat(20_000));
    };
    await expect(fill()).rejects.toThrow(/database space exceeded/);
    client.close();
    expect(await ask(endpoint)).toBe(true);
  });
});
