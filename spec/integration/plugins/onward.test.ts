import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeCertificates } from '../../support/certificates.ts';
import { freePort } from '../../support/etcd.ts';
import { definition, directory, mountTree, type TestMount } from '../../support/mounts.ts';
import { runPlugin } from '../../support/shipped-plugins.ts';
import { until } from '../../support/wait.ts';

let dir: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'triggerd-plugin-')));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('forward', () => {
  const forward = (args: Record<string, string>, payload: string | Uint8Array = '', env: Record<string, string> = {}) =>
    runPlugin('forward', { args, payload, env, fixed: { allow: '127.0.0.1' } });
  const seen: { request: IncomingMessage; body: Buffer }[] = [];
  let server: Server;
  let url: string;

  /** Answers as the path says: /404 with 404, /hang not at all. */
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // May come when the one who asked has given up.
    if (request.url === '/hang') return;
    seen.push({ request, body: await buffer(request) });
    const status = Number(request.url?.slice(1)) || 200;
    response.writeHead(status, status === 302 ? { location: '/200' } : {}).end(`answer ${status}\n`);
  };
  const listen = async (listening: Server): Promise<number> => {
    await once(listening.listen(0, '127.0.0.1'), 'listening');
    return (listening.address() as AddressInfo).port;
  };

  beforeAll(async () => {
    server = createServer((request, response) => void answer(request, response));
    url = `http://127.0.0.1:${await listen(server)}`;
  });
  afterEach(() => void seen.splice(0));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('forward sends the payload byte by byte, and prints the answer', async () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 7) % 256);
    expect(await forward({ url: `${url}/200?a=b` }, bytes)).toEqual({
      stdout: 'answer 200\n',
      stderr: '',
      exitCode: 0,
    });
    expect(seen[0]?.request).toMatchObject({ method: 'POST', url: '/200?a=b' });
    expect(seen[0]?.request.headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8' });
    expect(seen[0]?.body.equals(bytes)).toBe(true);
  });

  it('forward sends the text instead, by another method and as another type', async () => {
    await forward({ url, text: '{"ü":1}', method: 'PUT', type: 'application/json' });
    expect([seen[0]?.request.method, seen[0]?.body.toString()]).toEqual(['PUT', '{"ü":1}']);
    expect(seen[0]?.request.headers['content-type']).toBe('application/json');
  });

  it.each([
    ['/204', 0, ''],
    ['/302', 3, '302 Found'],
    ['/404', 4, '404 Not Found'],
    ['/429', 75, '429 Too Many Requests'],
    ['/501', 5, '501 Not Implemented'],
    ['/503', 75, '503 Service Unavailable'],
  ])('forward to %s exits with %i', async (path, code, reason) => {
    const { stderr, exitCode } = await forward({ url: url + path }, 'x');
    expect([exitCode, stderr]).toEqual([code, reason && `forward: POST ${url} was answered ${reason}\n`]);
    expect(seen).toHaveLength(1);
  });

  it('forward ends when no answer arrives, and when nobody listens', async () => {
    expect(await forward({ url: `${url}/hang`, timeout: '1' })).toMatchObject({
      exitCode: 75,
      stderr: `forward: POST ${url}: no answer in 1 s\n`,
    });
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const { stderr, exitCode } = await forward({ url: nobody });
    expect([exitCode, stderr]).toEqual([75, `forward: POST ${nobody}: connect ECONNREFUSED ${nobody.slice(7)}\n`]);
  });

  it('forward trusts the machine’s certificate authorities only', async () => {
    const certificates = makeCertificates();
    const [key, cert] = ['server.key', 'server.pem'].map((name) => readFileSync(certificates.file(name)));
    const secure = createTlsServer({ key, cert }, (request, response) => void answer(request, response));
    try {
      const args = { url: `https://127.0.0.1:${await listen(secure)}/` };
      const trusting = (authority: string) => forward(args, 'x', { SSL_CERT_FILE: certificates.file(authority) });
      expect(await trusting('ca.pem')).toMatchObject({ stdout: 'answer 200\n', exitCode: 0 });
      expect(await trusting('other.pem')).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('certificate'),
      });
      expect(seen).toHaveLength(1);
    } finally {
      secure.closeAllConnections();
      secure.close();
      certificates.remove();
    }
  });

  it('forward shows no password: a URL with a password is refused', async () => {
    const { stdout, stderr, exitCode } = await forward({ url: url.replace('//', '//user:hunter2@') }, 'x');
    expect([exitCode, stdout + stderr]).toEqual([2, expect.not.stringContaining('hunter2')]);
    expect(seen).toEqual([]);
  });

  it.each([
    { url: 'file:///etc/passwd' },
    { url: 'http://a b' },
    { url: 'x', method: 'CONNECT' },
    { type: 'a\r\nb: c' },
  ])('forward refuses %j', async (args: Record<string, string>) => {
    await expect(forward({ url, ...args })).rejects.toThrow(/must match/);
  });

  it('forward names the text that is no URL', async () => {
    expect(await forward({ url: 'http://[::1' })).toMatchObject({
      exitCode: 2,
      stderr: 'forward: http://[::1 is no URL\n',
    });
  });
});

describe('chain', () => {
  const chain = (args: Record<string, string>, payload = '', env: Record<string, string> = {}) =>
    runPlugin('chain', { args, payload, env });

  describe('to a trigger file', () => {
    let mount: TestMount;
    const messages: string[] = [];
    const notCalled = () => Promise.reject(new Error('nobody asks for this here'));
    beforeAll(async () => {
      const spool = async (_definition: number, [message]: readonly Buffer[]) => void messages.push(String(message));
      mount = await mountTree({ spool, send: notCalled, execute: notCalled, content: notCalled });
      mount.show({ directories: [directory(1, 'lan')], definitions: [definition(2, 1, 'next')] });
      await until(() => stat(mount.path('lan/next')).catch(() => undefined), 'the tree');
    });
    afterAll(() => mount.close());

    it('chain writes the payload, or the text, as one message', async () => {
      const path = mount.path('lan/next');
      const payload = 'uptime\nü'.repeat(2000);
      expect(await chain({ path }, payload)).toMatchObject({ exitCode: 0, stdout: `Wrote 18000 bytes to ${path}\n` });
      expect(await chain({ path, text: 'df -h' })).toMatchObject({ exitCode: 0 });
      expect(messages).toEqual([payload, 'df -h']);
    });

    it('chain makes no file', async () => {
      const { stderr, exitCode } = await chain({ path: mount.path('lan/other') }, 'x');
      expect([exitCode, stderr]).toEqual([
        1,
        expect.stringContaining('No such file or directory (is the tree mounted?'),
      ]);
    });
  });

  it('chain writes to trigger files only', async () => {
    const path = join(dir, 'file');
    writeFileSync(path, 'untouched');
    for (const other of [path, '/dev/null'])
      expect(await chain({ path: other }, 'x')).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('is no trigger file'),
      });
    expect((await chain({ path: join(dir, 'missing') }, 'x')).exitCode).toBe(1);
    expect(readFileSync(path, 'utf8')).toBe('untouched');
    expect(existsSync(join(dir, 'missing'))).toBe(false);
  });

  it('chain passes on nothing at the end of its chain', async () => {
    const context = join(dir, 'context');
    const trigger = 'a "ttl":7,"firings":[';
    const document = (ttl: number) =>
      JSON.stringify({ format: 1, job: { id: 1 }, chain: [{ trigger }], ttl, firings: [{ ttl: 5 }] });
    for (const [ttl, reason] of [
      [-1, 'nothing is passed on'],
      [0, 'is no trigger file'],
      [7, 'is no trigger file'],
    ] as const) {
      writeFileSync(context, document(ttl));
      const { stderr, exitCode } = await chain({ path: '/dev/null' }, 'x', { TRIGGERD_CONTEXT: context });
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(reason)]);
    }
  });

  it('chain needs a target', async () => {
    expect(await chain({})).toMatchObject({ exitCode: 2 });
    expect(await chain({ path: '/x', service: 'y' })).toMatchObject({ exitCode: 2 });
    await expect(chain({ service: '--help' })).rejects.toThrow(/must match/);
  });
});
