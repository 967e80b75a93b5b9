import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { curveKeyPair, Dealer } from 'zeromq';
import { pack } from '../../../src/bus/codec/pack.ts';
import { freePort } from '../../support/etcd.ts';
import { startProxy } from '../../support/proxy.ts';
import { dial, startRouter, type TestDealer, type TestRouter } from '../../support/sockets.ts';
import { until } from '../../support/wait.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

const router = async (...args: Parameters<typeof startRouter>): Promise<TestRouter> => {
  const started = await startRouter(...args);
  open.push(started.router);
  return started;
};
const dialled = (to: TestRouter | { endpoint: string; key: string }): TestDealer =>
  dial('router' in to ? { endpoint: to.router.endpoint, key: to.key } : to);
const dealer = (to: Parameters<typeof dialled>[0]): TestDealer => {
  const from = dialled(to);
  open.push(from.connection);
  return from;
};
const up = ({ states }: TestDealer): Promise<unknown> => until(() => states.at(-1) === 'up', 'the handshake');

describe('router and dealer', () => {
  it('router and dealer carry messages both ways, several in a multipart and in order', async () => {
    const at = await router({}, true);
    const from = dealer(at);
    await up(from);
    for (let index = 0; index < 1_000; index++)
      expect(from.connection.send(`{"n":${index}}`, Buffer.from(`body ${index}`))).toBe(true);
    await until(() => from.received.length === 1_000, 'the echoes');
    expect(from.received.map(({ head, body }) => `${head}${body}`)).toEqual(
      Array.from({ length: 1_000 }, (_, index) => `{"n":${index}}body ${index}`),
    );
    expect(at.multiparts.length).toBeLessThan(100);
    expect(new Set(at.received.map(({ peer }) => peer)).size).toBe(1);
  });

  it('a dealer says when the broker went away, drops what waited for it, and reconnects itself', async () => {
    const pair = curveKeyPair();
    const endpoint = `tcp://127.0.0.1:${await freePort()}`;
    const first = await router({ listen: endpoint, secretKey: pair.secretKey, key: pair.publicKey }, true);
    const from = dealer(first);
    await up(from);
    await first.router.close();
    await until(() => from.states.at(-1)?.startsWith('down'), 'the loss');
    expect(from.connection.send('{}')).toBe(false);
    const second = await router({ listen: endpoint, secretKey: pair.secretKey, key: pair.publicKey }, true);
    await up(from);
    expect(from.connection.send('{"after":1}')).toBe(true);
    await until(() => second.received.length === 1, 'the message');
    expect(second.received.map(({ head }) => head)).toEqual(['{"after":1}']);
    expect(from.states).toEqual(['up', expect.stringContaining('was lost'), 'up']);
  });

  it('the address of a router is free as soon as the router is closed', async () => {
    const listen = `tcp://127.0.0.1:${await freePort()}`;
    for (let round = 0; round < 50; round++) {
      const at = await startRouter({ listen });
      const from = dialled(at);
      await up(from);
      await from.connection.close();
      await at.router.close();
    }
  });

  it('a dealer says once why nobody answers', async () => {
    const from = dealer({ endpoint: 'tcp://127.0.0.1:9', key: curveKeyPair().publicKey });
    await until(() => from.states.length > 0, 'the failure');
    expect(from.states).toEqual([expect.stringContaining('nothing listens at tcp://127.0.0.1:9')]);
  });

  it('a dealer does not connect to another broker’s key', async () => {
    const at = await router();
    const from = dealer({ endpoint: at.router.endpoint, key: curveKeyPair().publicKey });
    await until(() => from.states.length > 0, 'the failure');
    expect(from.states[0]).toContain('is its key right?');
    expect(at.received).toEqual([]);
  });

  it('D11: router and dealer close soon with messages that nobody takes any more, on both sides', async () => {
    const at = await router();
    const proxy = await startProxy(Number(new URL(at.router.endpoint).port));
    open.push(proxy);
    const from = dealer({ endpoint: `tcp://127.0.0.1:${proxy.port}`, key: at.key });
    await up(from);
    from.connection.send('{"op":"hello"}');
    await until(() => at.received.length === 1, 'the message');
    proxy.stall();
    const large = Buffer.alloc(1_000_000);
    const { peer = '' } = at.received[0] ?? {};
    for (let count = 0; count < 20; count++) {
      from.connection.send('{}', large);
      at.router.send(peer, '{}', large);
    }
    // Without an end to that the test runs into its time limit.
    await Promise.all([from.connection.close(), at.router.close()]);
    expect([at.received.length, at.dead, from.received.length < 20]).toEqual([1, [], true]);
  });

  it('an invalid endpoint is reported, not thrown', async () => {
    const from = dealer({ endpoint: 'nonsense', key: curveKeyPair().publicKey });
    await until(() => from.states.length > 0, 'the failure');
    expect(from.states).toEqual([expect.stringContaining('not an address')]);
  });

  it('nobody gets in without encryption, nor under a routing ID of their choice', async () => {
    const at = await router();
    const plain = new Dealer({ linger: 0 });
    open.push({ close: async () => plain.close() });
    plain.connect(at.router.endpoint);
    void plain.send(pack([{ head: '{"op":"hello"}', body: Buffer.alloc(0) }])).catch(() => undefined);
    const pair = curveKeyPair();
    const posing = new Dealer({
      linger: 0,
      routingId: 'somebody',
      curveServerKey: at.key,
      curvePublicKey: pair.publicKey,
      curveSecretKey: pair.secretKey,
    });
    open.push({ close: async () => posing.close() });
    posing.connect(at.router.endpoint);
    await posing.send(pack([{ head: '{"op":"hello"}', body: Buffer.alloc(0) }]));
    await until(() => at.router.dropped === 1, 'the drop');
    const from = dealer(at);
    await up(from);
    from.connection.send('{}');
    await until(() => at.received.length > 0, 'the message of the honest one');
    expect(at.received.map(({ head }) => head)).toEqual(['{}']);
  });
});

describe('an address of a broker', () => {
  /** By a name that has these addresses. */
  const dialVia = (at: TestRouter, addresses: readonly string[]): TestDealer => {
    const port = new URL(at.router.endpoint).port;
    const from = dial({ endpoint: `tcp://broker.test:${port}`, key: at.key }, async () => addresses);
    open.push(from.connection);
    return from;
  };

  it.each([
    'tcp://[::1]:0',
    'tcp://[::]:0',
    'tcp://127.0.0.1:0',
    'tcp://0.0.0.0:0',
    'tcp://*:0',
    'tcp://lo:0',
    'tcp://localhost:0',
  ])('the address %s is listened at and connected to', async (listen) => {
    const at = await router({ listen }, true);
    const { hostname, port } = new URL(at.router.endpoint);
    expect(Number(port)).toBeGreaterThan(0);
    const from = dealer({ endpoint: `tcp://${hostname}:${port}`, key: at.key });
    await up(from);
    expect(from.connection.send('{}')).toBe(true);
    await until(() => from.received.length === 1, 'the echo');
  });

  it('the address [::] serves clients of IPv4 as well', async () => {
    const at = await router({ listen: 'tcp://[::]:0' });
    await up(dealer({ endpoint: `tcp://127.0.0.1:${new URL(at.router.endpoint).port}`, key: at.key }));
  });

  it.each([
    ['IPv4', 'tcp://127.0.0.1:0'],
    ['IPv6', 'tcp://[::1]:0'],
  ])('a broker is found by a name with both families when only %s listens, in whatever order', async (_, listen) => {
    const at = await router({ listen });
    await up(dialVia(at, ['::1', '127.0.0.1']));
    await up(dialVia(at, ['127.0.0.1', '::1']));
  });

  it('an address that takes no packets costs its own time, and the next one is tried', async () => {
    const taken: Socket[] = [];
    const silent = createServer((socket) => void taken.push(socket.on('error', () => undefined).pause()));
    open.push({
      close: async () => {
        for (const socket of taken) socket.destroy();
        silent.close();
      },
    });
    const at = await router({ listen: 'tcp://127.0.0.1:0' });
    const port = Number(new URL(at.router.endpoint).port);
    await new Promise<void>((resolve) => silent.listen(port, '127.0.0.2', resolve));
    const from = dialVia(at, ['127.0.0.2', '127.0.0.1']);
    await up(from);
    expect(from.attempts()).toBe(1);
    expect(from.states, 'nothing was said of the first address').toEqual(['up']);
  });

  it('an address is reported as a whole when no address of its name answers', async () => {
    const from = dial({ endpoint: 'tcp://broker.test:1', key: curveKeyPair().publicKey }, async () => [
      '::1',
      '127.0.0.1',
    ]);
    open.push(from.connection);
    await until(() => from.states.length > 0, 'the failure');
    expect(from.states[0]).toContain('nothing listens at tcp://broker.test:1 ([::1]:1), or it cannot be reached');
    expect(from.states[0]).toContain('tcp://broker.test:1 (127.0.0.1:1)');
  });

  it('an address with an unknown name is reported as a name that does not resolve', async () => {
    const from = dealer({ endpoint: 'tcp://nobody.invalid:5555', key: curveKeyPair().publicKey });
    await until(() => from.states.length > 0, 'the failure');
    expect(from.states[0]).toMatch(
      /^down: tcp:\/\/nobody\.invalid:5555: the name nobody\.invalid (does not resolve|cannot be looked up)/,
    );
  });

  it('an address is resolved again after a loss, because the broker may have moved', async () => {
    const pair = curveKeyPair();
    const first = await router({ listen: 'tcp://127.0.0.1:0', secretKey: pair.secretKey, key: pair.publicKey });
    const addresses = ['127.0.0.1'];
    const from = dialVia(first, addresses);
    await up(from);
    addresses[0] = '127.0.0.2';
    const { port } = new URL(first.router.endpoint);
    await first.router.close();
    await router({ listen: `tcp://127.0.0.2:${port}`, secretKey: pair.secretKey, key: pair.publicKey });
    await until(() => from.states.length === 3, 'the new place');
    expect(from.states).toEqual(['up', expect.stringContaining('was lost'), 'up']);
  });

  it('an address whose resolution never ends does not delay a close', async () => {
    const from = dial(
      { endpoint: 'tcp://broker.test:1', key: curveKeyPair().publicKey },
      () => new Promise(() => undefined),
    );
    await from.connection.close();
    expect(from.states).toEqual([]);
  });
});
