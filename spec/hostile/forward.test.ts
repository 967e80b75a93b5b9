import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/journal.ts';
import { root } from '../support/node.ts';
import { runPlugin, shippedPlugin } from '../support/shipped-plugins.ts';
import { type EtcdPlace, test } from '../support/test.ts';

/** Everything that speaks HTTP on this machine and trusts whoever reaches it. */
describe('a member who may use forward', () => {
  let etcd: EtcdPlace;
  let server: Server;
  let port: number;
  const seen: string[] = [];
  test.beforeAll(async ({ etcd: place }) => {
    etcd = place;
    server = createServer((request, response) => {
      seen.push(request.url ?? '');
      response.writeHead(request.url === '/go' ? 302 : 200, { location: `${etcd.endpoint}/v3/kv/put` }).end('here');
    });
    await once(server.listen(0, '::'), 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(async () => {
    server?.close();
  });

  interface Sending {
    readonly allow?: string;
    readonly env?: Record<string, string>;
    readonly args?: Record<string, string>;
  }
  const send = (url: string, { allow, env = {}, args = {} }: Sending = {}) =>
    runPlugin('forward', {
      args: { url, timeout: '20', ...args },
      payload: put,
      env: { TRIGGERD_ETCD: etcd.endpoint.replace('http://', ''), ...env },
      ...(allow === undefined ? {} : { fixed: { allow } }),
    });
  /** An admin for nothing, as the registry would believe it. */
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const put = JSON.stringify({ key: base64('/planted'), value: base64('x') });
  const isPlanted = async (): Promise<boolean> => {
    const body = JSON.stringify({ key: base64('/planted') });
    const answer = await fetch(`${etcd.endpoint}/v3/kv/range`, { method: 'POST', body });
    return (await answer.text()).includes('"kvs"');
  };
  const own = Object.values(networkInterfaces())
    .flat()
    .flatMap((found) => (found === undefined || found.address.startsWith('fe80') ? [] : [found]))
    .map(({ address, family }) => (family === 'IPv6' ? `[${address}]` : address));

  const spellings = [
    ...[
      '127.0.0.1',
      'localhost',
      'LOCALHOST',
      '127.1',
      '127.255.255.254',
      '2130706433',
      '0x7f000001',
      '0x7f.1',
      '0177.0.0.1',
    ],
    ...[
      '017700000001',
      '0',
      '0.0.0.0',
      '%31%32%37.0.0.1',
      encodeURIComponent('①②⑦.0.0.1'),
      encodeURIComponent('127。0。0。1'),
      '127.0.0.1.',
    ],
    ...[
      '[::1]',
      '[::]',
      '[0:0:0:0:0:0:0:1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[::127.0.0.1]',
      '[::ffff:0:127.0.0.1]',
    ],
    ...['[64:ff9b::127.0.0.1]', '[64:ff9b:1::7f00:1]', '[2002:7f00:1::]'],
    ...[...own, hostname()],
  ];

  it.each(spellings)('forward reaches nothing of this machine as %s', async (host) => {
    const { stdout, stderr, exitCode } = await send(`http://${host}:${port}/`);
    // A pattern refuses what is no ASCII; a name that is not found is one that is not reached.
    expect({ stdout, stderr }).toEqual({
      stdout: '',
      stderr: expect.stringMatching(/nothing is sent there|ENOTFOUND|EAI_AGAIN/),
    });
    expect([1, 2, 75]).toContain(exitCode);
    expect(seen).toEqual([]);
  });

  it.each([
    '169.254.169.254',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '224.0.0.1',
  ])('forward reaches no link-local or multicast address and no metadata of a cloud: %s', async (host) => {
    expect(await send(`http://${host}/latest/meta-data/`)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('nothing is sent there'),
    });
  });

  it('forward cannot make a member an admin in etcd, neither where loopback is allowed nor by a redirect', async () => {
    const url = `${etcd.endpoint}/v3/kv/put`;
    for (const allow of ['', '127.0.0.1', '127.0.0.0/8 [::1]', `127.0.0.1:${port}`])
      expect([allow, (await send(url, { allow })).exitCode]).toEqual([allow, 2]);
    expect((await send(url.replace('127.0.0.1', 'localhost'), { allow: '127.0.0.0/8' })).stderr).toContain(
      "is etcd's, which is not sent anything",
    );
    seen.length = 0;
    const redirected = await send(`http://127.0.0.1:${port}/go`, { allow: `127.0.0.1:${port}` });
    expect(redirected).toMatchObject({ exitCode: 3, stdout: 'here' });
    expect(seen.splice(0)).toEqual(['/go']);
    for (const peer of ['http://10.255.255.254:2379/', 'http://10.255.255.254:2380/', 'https://[fd00::1]:2379/'])
      expect((await send(peer)).stderr).toContain("is etcd's");
    expect(await isPlanted()).toBe(false);
    // Its owner can have it so, and then it is what this test would look like if nothing were refused.
    expect(await send(url, { allow: new URL(url).host })).toMatchObject({ exitCode: 0 });
    expect(await isPlanted()).toBe(true);
  });

  it('a member who uses forward chooses neither what is allowed nor a proxy', async () => {
    await expect(send(`http://127.0.0.1:${port}/`, { args: { allow: '127.0.0.1' } })).rejects.toThrow(
      /“allow” is fixed/,
    );
    const proxy = `http://127.0.0.1:${port}`;
    const env = { http_proxy: proxy, HTTP_PROXY: proxy, https_proxy: proxy, ALL_PROXY: proxy, NODE_USE_ENV_PROXY: '1' };
    expect((await send('http://nobody.invalid/', { env })).stderr).toMatch(/ENOTFOUND|EAI_AGAIN/);
    expect(seen).toEqual([]);
  });

  it('forward says that the owner’s setting is no address, and sends nothing', async () => {
    for (const allow of ['localhost', '*', '127.0.0.1/33', '0/0', '127.0.0.1:99999'])
      expect(await send(`http://127.0.0.1:${port}/`, { allow })).toMatchObject({ exitCode: 2, stdout: '' });
    expect(seen).toEqual([]);
  });

  it.runIf(process.getuid?.() === 0)(
    'forward does not reach loopback by a name that resolves differently the second time',
    async () => {
      const { executable } = shippedPlugin('forward');
      const stage = join(root, 'spec/fixtures/plugins/rebinding.mjs');
      const { stdout } = await execa(
        'unshare',
        ['--net', '--mount', process.execPath, stage, executable, temporaryFolder()],
        {
          env: {
            TRIGGERD_RUNTIME: process.execPath,
            TRIGGER_ARG_URL: 'http://rebind.test/',
            TRIGGER_ARG_METHOD: 'GET',
            TRIGGER_ARG_TYPE: 'text/plain',
            TRIGGER_ARG_TEXT: '',
            TRIGGER_ARG_TIMEOUT: '20',
          },
        },
      );
      const { first, second, asked, hits } = JSON.parse(stdout);
      expect(first).toMatchObject({ code: 1, stderr: expect.stringContaining('10.9.9.9') });
      expect(second).toMatchObject({ code: 2, stderr: expect.stringContaining('127.0.0.1 is this machine') });
      expect([asked, hits]).toEqual([2, 0]);
    },
  );
});
