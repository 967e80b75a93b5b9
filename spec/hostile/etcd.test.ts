/** What an account of this machine gets from the etcd that a daemon of root's runs for itself. */
import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embeddedTlsIn } from '../../src/adapters/etcd/embedded-tls.ts';
import { makeCertificates } from '../support/certificates.ts';
import { freePort } from '../support/etcd.ts';
import { createNode, root, type TestNode } from '../support/node.ts';
import { createPuppet } from '../support/puppet.ts';
import { until } from '../support/wait.ts';

const nobody = 65_534;
const admin = '/trigger/v1/registry/';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const allKeys = { key: base64('\0'), range_end: base64('\0') };

describe('an account of this machine, and the embedded etcd of a broker', () => {
  let node: TestNode;
  let port: number;
  /** What the attacker has made for himself. */
  let kit: string;
  let owners: readonly string[];

  beforeAll(async () => {
    port = await freePort();
    const brokerPort = await freePort();
    node = createNode({
      name: 'hub',
      etcd: [`http://127.0.0.1:${port}`],
      env: { TRIGGERD_ETCD_EMBEDDED: 'true' },
      config: `[broker]\nlisten = "tcp://127.0.0.1:${brokerPort}"\n`,
    });
    // The state folder alone keeps him out, as below /var/lib.
    chmodSync(node.dir, 0o755);
    await node.start();
    const init = ['admin', 'init', '--team', 'team1', '--identity', 'hp', '--password-stdin', '--socket', node.socket];
    await execa(join(root, 'bin/trigger'), init, { input: 'correct horse battery\n' });
    const { ca, client } = embeddedTlsIn(join(node.dir, 'state'));
    owners = ['--cacert', ca, '--cert', client, '--key', client];
    kit = mkdtempSync(join(tmpdir(), 'triggerd-attacker-'));
    selfSign(kit, port);
  });
  afterAll(async () => {
    await node?.remove();
    if (kit) rmSync(kit, { recursive: true, force: true });
  });

  /** As root, with the daemon's certificate: shows that the same request works with it. */
  const byOwner = (path: string, body?: object): string =>
    execFileSync('curl', ['-sS', ...owners, ...dataOf(body), `https://127.0.0.1:${port}${path}`], { encoding: 'utf8' });
  const everything = (): string => byOwner('/v3/kv/range', allKeys);

  const ways = (): Record<string, readonly [string, ...string[]]> => ({
    'plain http': ['http'],
    'TLS without a certificate': ['https', '--insecure'],
    'TLS with a certificate of his own': ['https', '--insecure', '--cert', `${kit}/own.pem`, '--key', `${kit}/own.key`],
    'TLS with a certificate by a namesake of the authority': [
      ...(['https', '--insecure', '--cert', `${kit}/namesake.pem`] as const),
      ...['--key', `${kit}/namesake.key`],
    ],
    'TLS with the certificate that etcd shows to everybody': [
      ...(['https', '--insecure', '--cert', `${kit}/shown.pem`] as const),
      ...['--key', `${kit}/own.key`],
    ],
  });

  /** What curl prints for uid 65534. */
  const asNobody = (way: string, at: number, path: string, body?: object): string => {
    const [scheme = '', ...options] = ways()[way] ?? [];
    const curl = ['curl', '-s', '-m', '20', ...options, ...dataOf(body), `${scheme}://127.0.0.1:${at}${path}`];
    return run(curl).stdout;
  };

  it.each(Object.keys(ways()))('a local account can neither read nor change the embedded etcd by %s', (way) => {
    const before = everything();
    expect(before).toContain(base64(admin).slice(0, 20));
    expect(byOwner('/v3/kv/range', allKeys)).toContain('kvs');
    const hash = { key: base64(`${admin}teams/team1/users/hp`), value: base64('{"secret_hash":"mine"}') };
    for (const [path, body] of [
      ['/v3/kv/range', allKeys],
      ['/v3/kv/put', hash],
      ['/v3/kv/deleterange', allKeys],
      ['/v3/auth/user/add', { name: 'root', password: 'mine' }],
      ['/v3/cluster/member/list', {}],
      ['/v3/maintenance/snapshot', {}],
      ['/v2/keys', undefined],
      ['/health', undefined],
      ['/metrics', undefined],
    ] as const)
      expect([path, asNobody(way, port, path, body)]).toEqual([path, '']);
    expect(withoutHeader(everything())).toEqual(withoutHeader(before));
  });

  it.each(Object.keys(ways()))(
    'a local account gets nothing from any other port of the embedded etcd, its peer port included, by %s',
    (way) => {
      const ports = listeningPorts(etcdPid(node));
      expect(ports).toContain(port);
      expect(ports.length).toBeGreaterThan(1);
      for (const each of ports)
        for (const path of ['/members', '/raft', '/raft/probing', '/version', '/v3/kv/range', '/debug/vars'])
          expect([each, path, asNobody(way, each, path)]).toEqual([each, path, '']);
      const peer = ports.find((each) => each !== port);
      const members = execFileSync('curl', ['-sS', '--http1.1', ...owners, `https://127.0.0.1:${peer}/members`], {
        encoding: 'utf8',
      });
      expect(members).toContain('"name":"triggerd"');
    },
  );

  it('a local account gets nothing from the embedded etcd by etcdctl over gRPC', () => {
    for (const options of [
      ['--endpoints', `http://127.0.0.1:${port}`],
      ['--endpoints', `https://127.0.0.1:${port}`, '--insecure-skip-tls-verify'],
      ['--endpoints', `https://127.0.0.1:${port}`, '--insecure-skip-tls-verify', '--cert', `${kit}/own.pem`].concat(
        ...['--key', `${kit}/own.key`],
      ),
    ]) {
      const { status, stdout } = run(['etcdctl', '--command-timeout', '2s', ...options, 'get', '', '--prefix']);
      expect([options, stdout, status === 0]).toEqual([options, '', false]);
    }
  });

  it('a local account reads no key, data or settings of the embedded etcd', () => {
    const folder = join(node.dir, 'state', 'etcd');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((path) => statSync(path).isFile());
    for (const name of ['authority.pem', 'client.pem', 'server.pem', 'client.json', 'db'])
      expect(files.some((path) => path.endsWith(`/${name}`))).toBe(true);
    // Also where somebody has opened the state folder.
    const state = join(node.dir, 'state');
    for (const mode of [0o700, 0o755]) {
      chmodSync(state, mode);
      for (const path of files) expect([path, run(['cat', path])]).toMatchObject([path, { status: 1, stdout: '' }]);
    }
    chmodSync(state, 0o700);
    const environment = readFileSync(`/proc/${etcdPid(node)}/cmdline`, 'utf8');
    expect(environment).not.toMatch(/PRIVATE|secret/);
  });

  it('a local account that listens in place of a stopped etcd is given no firing', async () => {
    await node.stop();
    const certificates = makeCertificates();
    const heard: string[] = [];
    const serve = {
      cert: readFileSync(certificates.file('server.pem')),
      key: readFileSync(certificates.file('server.key')),
    };
    const impostor = createServer(serve, (request, response) => {
      heard.push(request.url ?? '');
      response.end('{}');
    }).listen(port, '127.0.0.1');
    await until(() => impostor.listening, 'the impostor');
    const spool = join(node.dir, 'state', 'spool');
    const puppet = createPuppet('hub', [`http://127.0.0.1:${port}`], { spool, socket: node.socket });
    try {
      const manifest =
        "notify { 'x': notify => Trigger['to the impostor'] } trigger { 'to the impostor': hosts => 'hub' }";
      const { output } = await puppet.apply(puppet.manifest('site.pp', manifest));
      expect(output).toMatch(/certificate verify failed/);
      // The daemon has its queues and its socket all the same, and says what is wrong.
      await node.start();
      expect(node.log().map(({ reason }) => reason)).toContainEqual(expect.stringContaining('another program listens'));
      expect(readdirSync(spool).filter((name) => name.endsWith('.json'))).toHaveLength(1);
      expect(heard).toEqual([]);
    } finally {
      impostor.closeAllConnections();
      await new Promise((resolve) => impostor.close(resolve));
      puppet.remove();
      certificates.remove();
    }
    await until(() => readdirSync(spool).every((name) => !name.endsWith('.json')), 'the firing to reach the real etcd');
    await until(async () => JSON.stringify(await node.json('status')).includes('to the impostor'), 'the firing');
  });
});

const dataOf = (body: object | undefined): string[] => (body === undefined ? [] : ['--data', JSON.stringify(body)]);

/** As uid 65534. */
const run = (command: readonly string[]): { stdout: string; status: number | null } => {
  const drop = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups', '--'];
  const { stdout, status } = spawnSync('setpriv', [...drop, ...command], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ETCDCTL_API: '3' },
  });
  return { stdout, status };
};

/** Certificates that he can make or has seen: his own, one whose issuer has the authority's name, and the server's. */
const selfSign = (kit: string, port: number): void => {
  const openssl = (...args: string[]): string =>
    execFileSync('openssl', args, { cwd: kit, encoding: 'utf8', input: '', stdio: ['pipe', 'pipe', 'ignore'] });
  const shown = spawnSync('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-showcerts'], {
    input: '',
    encoding: 'utf8',
  });
  const server = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n/.exec(shown.stdout)?.[0] ?? '';
  execFileSync('tee', [join(kit, 'shown.pem')], { input: server, stdio: ['pipe', 'ignore', 'inherit'] });
  const issuer = new X509Certificate(server).issuer.split('\n').join('/');
  const subject = (name: string) => ['-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', name];
  openssl('req', '-x509', ...subject('/O=triggerd/OU=client'), '-keyout', 'own.key', '-out', 'own.pem');
  openssl('req', '-x509', ...subject(`/${issuer}`), '-keyout', 'ca.key', '-out', 'ca.pem');
  openssl('req', ...subject('/O=triggerd/OU=client'), '-keyout', 'namesake.key', '-out', 'namesake.csr');
  openssl(
    'x509',
    '-req',
    '-in',
    'namesake.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-out',
    'namesake.pem',
  );
  chmodSync(kit, 0o755);
  for (const name of readdirSync(kit)) chmodSync(join(kit, name), 0o644);
};

const etcdPid = (node: TestNode): number =>
  JSON.parse(readFileSync(join(node.dir, 'state', 'etcd', 'etcd.pid'), 'utf8')).pid;

/** TCP ports on which this process listens, from its descriptors and the kernel's tables. */
const listeningPorts = (pid: number): number[] => {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  const inodes = new Set(
    links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]).filter((inode) => inode !== undefined),
  );
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === '0A' && inodes.has(inode ?? ''))
      .map(([, local = '']) => Number.parseInt(local.split(':').at(-1) ?? '', 16)),
  );
};

/** Keys and values; leases and the header change while the daemon lives. */
const withoutHeader = (answer: string): string[] =>
  (JSON.parse(answer).kvs as { key: string; value: string }[])
    .map(({ key, value }) => [key, value].map((each) => Buffer.from(each, 'base64').toString()))
    .filter(([key = '']) => key.startsWith(admin))
    .map((pair) => pair.join(' '));
