import { execFileSync, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { connect as connectTcp, createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../../../src/adapters/etcd/connect.ts';
import { type EmbeddedEtcd, type EmbeddedEtcdOptions, startEmbeddedEtcd } from '../../../src/adapters/etcd/embedded.ts';
import { etcdPathsIn, spawnEtcd } from '../../../src/adapters/etcd/embedded-process.ts';
import { type EmbeddedTls, embeddedTlsIn, ensureEmbeddedTls } from '../../../src/adapters/etcd/embedded-tls.ts';
import { freePort } from '../../support/etcd.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/wait.ts';

describe('the embedded etcd', () => {
  let stateDir: string;
  let port: number;
  let log: ReturnType<typeof recordingLog>;
  const running: EmbeddedEtcd[] = [];

  beforeEach(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'triggerd-embedded-'));
    port = await freePort();
    log = recordingLog();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((etcd) => etcd.close()));
    rmSync(stateDir, { recursive: true, force: true });
  });

  const start = async (more: Partial<EmbeddedEtcdOptions> = {}): Promise<EmbeddedEtcd> => {
    const etcd = await startEmbeddedEtcd({ stateDir, port, log, ...more });
    running.push(etcd);
    return etcd;
  };
  const withStore = async <T>(use: (store: ReturnType<typeof connect>) => Promise<T>): Promise<T> => {
    const { ca, client } = embeddedTlsIn(stateDir);
    const [certificate, authority] = [readFileSync(client), readFileSync(ca)];
    const tls = { ca: authority, cert: certificate, key: certificate, serverName: 'localhost' };
    const store = connect({ endpoints: [`https://127.0.0.1:${port}`], tls, log });
    return use(store).finally(() => store.close());
  };
  const put = () =>
    until(
      () =>
        withStore((store) => store.commit({ compare: [], write: [{ put: '/k', value: 'kept' }] })).catch(() => null),
      'a write',
    );
  const get = () => withStore((store) => store.get('/k').catch(() => undefined));
  const firstError = () => log.at('error')[0]?.fields ?? {};
  const isRunning = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  it('the embedded etcd starts, keeps its data over a restart, and leaves no process behind', async () => {
    const first = await start();
    const pid = first.pid ?? 0;
    await put();
    await first.close();
    expect(isRunning(pid)).toBe(false);
    await start();
    expect((await until(get, 'the data')).value).toBe('kept');
    expect(statSync(join(stateDir, 'etcd')).mode & 0o777).toBe(0o700);
    expect(statSync(join(stateDir, 'etcd', 'data')).mode & 0o777).toBe(0o700);
  });

  it('the embedded etcd listens on the loopback address only', async () => {
    await start();
    const listening = readFileSync('/proc/net/tcp', 'latin1').split('\n');
    const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
    const addresses = listening.map((line) => line.trim().split(/\s+/)).filter(([, , , state]) => state === '0A');
    expect(addresses.map(([, local]) => local).filter((local) => local?.endsWith(`:${hexPort}`))).toEqual([
      `0100007F:${hexPort}`,
    ]);
  });

  it('the embedded etcd does not listen where other machines could reach it', async () => {
    await start();
    const others = Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address));
    const refuses = (host: string) =>
      new Promise((resolve) => {
        const socket = connectTcp(port, host);
        socket.once('connect', () => resolve(false)).once('error', () => resolve(true));
        socket.once('connect', () => socket.destroy());
      });
    for (const address of ['127.0.0.2', ...others.filter((each) => each !== '127.0.0.1')])
      expect([address, await refuses(address)]).toEqual([address, true]);
  });

  it('the embedded etcd is started again when it dies, and not after it was stopped', async () => {
    const etcd = await start();
    await put();
    const pid = etcd.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    await until(() => etcd.pid !== undefined && etcd.pid !== pid, 'another process');
    await until(get, 'the data');
    expect(log.at('error')).toHaveLength(1);
    const last = etcd.pid ?? 0;
    await etcd.close();
    expect(isRunning(last)).toBe(false);
    expect(etcd.pid).toBeUndefined();
  });

  it('the embedded etcd replaces the one that a killed daemon has left on the same data', async () => {
    const folder = join(stateDir, 'etcd');
    mkdirSync(folder, { mode: 0o700 });
    ensureEmbeddedTls(embeddedTlsIn(stateDir), Date.now());
    const leftOver = spawnEtcd('etcd', port, etcdPathsIn(folder), embeddedTlsIn(stateDir));
    await put();
    const next = await start();
    // KILL where five seconds were not enough.
    expect(await leftOver?.ended).toMatch(/^killed by SIG(TERM|KILL)$/);
    expect(next.pid).not.toBe(leftOver?.identity.pid);
    expect((await until(get, 'the data')).value).toBe('kept');
  });

  it('the embedded etcd runs with the data of an earlier version without TLS', async () => {
    const folder = join(stateDir, 'etcd');
    mkdirSync(folder, { mode: 0o700 });
    const [client, peer] = [`http://127.0.0.1:${port}`, 'http://127.0.0.1:0'];
    const open = spawn('etcd', [
      ...['--name', 'triggerd', '--data-dir', join(folder, 'data')],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `triggerd=${peer}`],
    ]);
    const store = connect({ endpoints: [client], log });
    await until(
      () => store.commit({ compare: [], write: [{ put: '/k', value: 'kept' }] }).catch(() => undefined),
      'a write',
    );
    await store.close();
    const gone = once(open, 'exit');
    open.kill('SIGKILL');
    await gone;
    await start();
    expect((await until(get, 'the data')).value).toBe('kept');
  });

  it('the embedded etcd logs what to do when etcd is not installed, and runs as soon as it is', async () => {
    const binary = join(stateDir, 'etcd-binary');
    const etcd = await start({ binary });
    expect(firstError()).toMatchObject({
      code: 'etcd-embedded-failed',
      remedy: expect.stringContaining('etcd-server'),
    });
    expect(etcd.pid).toBeUndefined();
    await until(() => log.at('debug').length > 1, 'more attempts');
    expect(log.at('error')).toHaveLength(1);
    writeFileSync(binary, '#!/bin/sh\nexec etcd "$@"\n', { mode: 0o755 });
    await put();
  });

  it('the embedded etcd shows etcd’s own message when it ends at once', async () => {
    await start({ binary: '/bin/false' });
    expect(firstError().reason).toMatch(/ended at once \(exit code 1\)/);
  });

  it('the embedded etcd does not start on a port that another process has, and says so', async () => {
    const other = createServer().listen(port, '127.0.0.1');
    await until(() => other.listening, 'the other listener');
    await start();
    expect(firstError().reason).toMatch(/another program listens/);
    await new Promise((resolve) => other.close(resolve));
    await put();
  });

  it('the embedded etcd keeps the end of a log that refused connections fill', async () => {
    const { log: file } = etcdPathsIn(join(stateDir, 'etcd'));
    await start({ upkeepMs: 20, maxLogBytes: 4_096 });
    const knock = () => new Promise((resolve) => connectTcp(port, '127.0.0.1').once('close', resolve).end('no TLS\n'));
    await until(async () => {
      await knock();
      return existsSync(`${file}.1`);
    }, 'the log to be cut');
    expect(statSync(`${file}.1`)).toMatchObject({ size: 4_096, mode: 0o100600 });
    await until(() => statSync(file).size <= 4_096, 'a short log');
    await put();
  });

  it('the embedded etcd renews its certificates while it runs, and restarts etcd for a new authority', async () => {
    let years = 0;
    const now = () => Date.now() + years * 365 * 86_400_000;
    const etcd = await start({ now, upkeepMs: 20 });
    await put();
    const { client, ca } = embeddedTlsIn(stateDir);
    const before = { pid: etcd.pid, ca: readFileSync(ca, 'utf8'), until: validTo(client) };
    years = 1;
    await until(() => validTo(client) > before.until, 'another certificate');
    expect(await until(get, 'an answer to the new certificate')).toMatchObject({ value: 'kept' });
    expect({ pid: etcd.pid, ca: readFileSync(ca, 'utf8') }).toEqual({ pid: before.pid, ca: before.ca });
    years = 19;
    await until(() => etcd.pid !== undefined && etcd.pid !== before.pid, 'another etcd');
    expect(await until(get, 'an answer of the new etcd')).toMatchObject({ value: 'kept' });
    expect(readFileSync(ca, 'utf8')).not.toBe(before.ca);
  });
});

const validTo = (file: string): number => Date.parse(new X509Certificate(readFileSync(file)).validTo);

describe('the certificates of the embedded etcd', () => {
  const now = Date.now();
  const years = (count: number) => now + count * 365 * 86_400_000;
  let stateDir: string;
  let tls: EmbeddedTls;

  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), 'triggerd-embedded-'));
    tls = embeddedTlsIn(stateDir);
    expect(ensureEmbeddedTls(tls, now)).toBe('authority');
  });
  afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

  const content = () =>
    Object.fromEntries(readdirSync(tls.folder).map((name) => [name, readFileSync(join(tls.folder, name), 'utf8')]));
  /** OpenSSL's opinion, which is stricter than etcd's. */
  const areValid = () => {
    for (const [purpose, file] of [
      ['sslserver', tls.server],
      ['sslclient', tls.client],
    ] as const)
      execFileSync('openssl', ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', tls.ca, file], {
        stdio: 'pipe',
      });
  };

  it('the certificates of the embedded etcd are closed to all other users, and valid', () => {
    expect(statSync(tls.folder).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(tls.folder)) expect(statSync(join(tls.folder, name)).mode & 0o777).toBe(0o600);
    areValid();
  });

  it('the certificates of the embedded etcd stay unchanged as long as they are good', () => {
    const before = content();
    expect(ensureEmbeddedTls(tls, now)).toBe('nothing');
    expect(content()).toEqual(before);
  });

  it('the certificates of the embedded etcd are renewed by the same authority months before they expire, also after a clock step back', () => {
    const { 'authority.pem': authority } = content();
    expect(ensureEmbeddedTls(tls, years(1) - 100 * 86_400_000)).toBe('certificates');
    expect(content()['authority.pem']).toBe(authority);
    areValid();
    expect(ensureEmbeddedTls(tls, years(-10))).toBe('nothing');
  });

  it('the certificates of the embedded etcd get a new authority before the old one expires', () => {
    expect(ensureEmbeddedTls(tls, years(19))).toBe('authority');
    expect(ensureEmbeddedTls(tls, years(19))).toBe('nothing');
  });

  it.each(['authority', 'ca', 'server', 'client'] as const)(
    'the certificates of the embedded etcd are repaired when %s is cut off, empty, gone or open',
    (which) => {
      const damages = [
        () => truncateSync(tls[which], 300),
        () => truncateSync(tls[which], 0),
        () => rmSync(tls[which]),
        () => chmodSync(tls[which], 0o644),
      ];
      for (const damage of damages) {
        damage();
        ensureEmbeddedTls(tls, now);
        areValid();
        expect(statSync(tls[which]).mode & 0o777).toBe(0o600);
        expect(ensureEmbeddedTls(tls, now)).toBe('nothing');
      }
    },
  );

  it('the certificates of the embedded etcd are replaced when they are another authority’s', () => {
    const foreign = embeddedTlsIn(join(stateDir, 'other'));
    mkdirSync(join(stateDir, 'other', 'etcd'), { recursive: true });
    ensureEmbeddedTls(foreign, now);
    writeFileSync(tls.client, readFileSync(foreign.client));
    expect(ensureEmbeddedTls(tls, now)).toBe('certificates');
    areValid();
  });
});
