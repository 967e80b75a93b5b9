import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttps, type Server as HttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobView } from '../../src/api/contract/jobs.ts';
import { postJob } from '../support/api.ts';
import { createNode, type TestNode } from '../support/node.ts';
import { processesWith } from '../support/processes.ts';
import { createPuppet, type TestPuppet } from '../support/puppet.ts';

const portOf = (server: Server | HttpsServer): number => (server.address() as AddressInfo).port;
const listening = <S extends Server | HttpsServer>(server: S): Promise<S> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));

/** F5: what real runs of Puppet end with, and what becomes of it. */
describe('the exit code of a Puppet run', () => {
  let node: TestNode;
  let puppet: TestPuppet;
  let folder: string;
  let unsigned: HttpsServer;
  let silent: Server;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'triggerd-ca-'));
    puppet = createPuppet('node01', ['http://127.0.0.1:1']);
    node = createNode({
      name: 'node01',
      etcd: ['http://127.0.0.1:1'],
      config: '[queues.default]\nslots = 4\n[queues.serial]',
    });
    unsigned = await listening(certificateAuthority(folder));
    silent = await listening(createTcp(() => undefined));
    await node.start();
  }, 30_000);
  afterAll(async () => {
    await node?.remove();
    puppet?.remove();
    unsigned?.close();
    silent?.close();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  const ended = async (argv: readonly string[], queue = 'default'): Promise<JobView> => {
    const { id } = await postJob(node.socket, { plugin: 'puppet', queue, argv: [...argv] });
    await node.trigger('queue', 'wait', String(id));
    return node.json<JobView>('queue', 'info', String(id));
  };
  const apply = (name: string, text: string) => [
    'puppet',
    'apply',
    ...puppet.options,
    puppet.manifest(`${name}.pp`, text),
  ];
  const agent = (...options: string[]) => [
    ...['puppet', 'agent', '--test', ...puppet.options.slice(0, -2), '--server', '127.0.0.1'],
    ...['--certificate_revocation', 'false', ...options],
  ];
  const outputOf = ({ output }: JobView) => readFileSync(output ?? '', 'utf8');
  const change = () => `file { '${folder}/${Math.random()}': content => 'x' }`;
  const failure = `exec { '/bin/false': }`;

  it.each<[number, JobView['result'], string, () => string]>([
    [0, 'succeeded', 'nothing to do', () => ''],
    [2, 'succeeded', 'a change', change],
    [4, 'failed', 'a failure', () => failure],
    [6, 'failed', 'a change and a failure', () => `${change()} ${failure}`],
    [1, 'failed', 'a manifest that does not compile', () => 'file { nonsense'],
  ])(
    'a Puppet run that exits with %d is %s: %s',
    async (code, result, what, manifest) => {
      expect(await ended(apply(`exit${code}-${what.length}`, manifest()))).toMatchObject({
        state: 'finished',
        result,
        exit_code: code,
        attempt: 1,
      });
    },
    60_000,
  );

  it('a Puppet run that exits with 1 because no server answers has failed, and is not deferred', async () => {
    const job = await ended(agent('--serverport', '1', '--waitforcert', '0'));
    expect(job).toMatchObject({ state: 'finished', result: 'failed', exit_code: 1 });
    expect(outputOf(job)).toMatch(/Connection refused|Failed to open TCP/);
  }, 60_000);

  it('a Puppet run that exits with 1 because its certificate is not signed has failed, and its output says so', async () => {
    const job = await ended(agent('--serverport', String(portOf(unsigned)), '--waitforcert', '0'));
    expect(job).toMatchObject({ state: 'finished', result: 'failed', exit_code: 1 });
    expect(outputOf(job)).toMatch(/has not been signed yet/);
  }, 60_000);

  it('a Puppet run that exits with 1 after Puppet’s own timeout has failed', async () => {
    const job = await ended(agent('--serverport', String(portOf(silent)), '--http_connect_timeout', '2'));
    expect(job).toMatchObject({ state: 'finished', result: 'failed', exit_code: 1 });
    expect(outputOf(job)).toMatch(/timeout|timed out|expired/i);
  }, 60_000);

  it('a Puppet run that exits with 1 at its `runtimeout` has failed, is not deferred, and leaves no lock', async () => {
    const own = await withCachedCatalog(folder, `exec { '/bin/sleep 54321': timeout => 0 }`);
    const job = await ended([
      ...['puppet', 'agent', '--test', ...own.options, '--server', '127.0.0.1', '--no-report'],
      ...['--certificate_revocation', 'false', '--use_cached_catalog', '--runtimeout', '3'],
    ]);
    expect(job).toMatchObject({ state: 'finished', result: 'failed', exit_code: 1, attempt: 1 });
    expect(outputOf(job)).toMatch(/timed out|timeout|expired/i);
    expect(existsSync(join(own.dir, 'var/state/agent_catalog_run.lock'))).toBe(false);
    // Puppet leaves what it had started behind, in a session of its own.
    for (const pid of processesWith('sleep 54321')) process.kill(pid, 'SIGKILL');
    own.remove();
  }, 90_000);

  it('F6: two runs of `puppet apply`, which takes no lock, run one after the other in their queue', async () => {
    const lines = join(folder, 'lines');
    const exec = (name: string) =>
      `exec { '/bin/sh -c "echo ${name} begins >> ${lines}; sleep 0.5; echo ${name} ends >> ${lines}"': }`;
    await Promise.all(['a', 'b'].map((name) => ended(apply(name, exec(name)), 'serial')));
    const [first, second, third, fourth] = readFileSync(lines, 'utf8').trim().split('\n');
    expect([first?.slice(1), second, third?.slice(1), fourth]).toEqual([
      ' begins',
      `${first?.[0]} ends`,
      ' begins',
      `${third?.[0]} ends`,
    ]);
  }, 60_000);
});

/** A Puppet agent with certificates of the authority in `folder`, and with the catalogue of this manifest in its cache. */
const withCachedCatalog = async (folder: string, text: string): Promise<TestPuppet> => {
  const puppet = createPuppet('node01', ['http://127.0.0.1:1']);
  const [ssl, cache] = [join(puppet.dir, 'ssl'), join(puppet.dir, 'var/client_data/catalog')];
  for (const path of [join(ssl, 'certs'), join(ssl, 'private_keys'), cache]) mkdirSync(path, { recursive: true });
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = join(ssl, 'private_keys/node01.pem');
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', 'node01.csr', '-subj', '/CN=node01');
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
  openssl('x509', '-req', '-in', 'node01.csr', ...signed, '-out', join(ssl, 'certs/node01.pem'));
  copyFileSync(join(folder, 'ca.pem'), join(ssl, 'certs/ca.pem'));
  const compile = ['catalog', 'compile', 'node01', '--manifest', puppet.manifest('cached.pp', text)];
  const { stdout } = await execa('puppet', [...compile, '--render-as', 'json', ...puppet.options]);
  writeFileSync(join(cache, 'node01.json'), stdout.slice(stdout.indexOf('\n{') + 1));
  return puppet;
};

/** As much of a Puppet server as an agent without a certificate meets: it takes the request, and signs nothing. */
const certificateAuthority = (folder: string): HttpsServer => {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=Test CA',
    '-days',
    '2',
  );
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out', 'csr.pem', '-subj', '/CN=127.0.0.1');
  writeFileSync(join(folder, 'ext'), 'subjectAltName=IP:127.0.0.1,DNS:127.0.0.1');
  openssl(
    'x509',
    '-req',
    '-in',
    'csr.pem',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-extfile',
    'ext',
    '-out',
    'cert.pem',
    '-days',
    '2',
  );
  const read = (name: string) => readFileSync(join(folder, name));
  return createHttps({ key: read('key.pem'), cert: read('cert.pem') }, (request, response) => {
    request.resume();
    const isRootAsked = request.url?.startsWith('/puppet-ca/v1/certificate/ca') === true;
    if (isRootAsked) response.end(read('ca.pem'));
    else if (request.method === 'PUT') response.end();
    else response.writeHead(404).end('Not Found: Could not find certificate');
  });
};
