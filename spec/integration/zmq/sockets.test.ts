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
  it('carry messages both ways, several to a multipart and in order', async () => {
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

  it('say when the broker went away, forget what waited for it, and come back by themselves', async () => {
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

  it('an address is free as soon as the router is closed', async () => {
    const listen = `tcp://127.0.0.1:${await freePort()}`;
    for (let round = 0; round < 50; round++) {
      const at = await startRouter({ listen });
      const from = dialled(at);
      await up(from);
      await from.connection.close();
      await at.router.close();
    }
  });

  it('say once why nobody is there', async () => {
    const from = dealer({ endpoint: 'tcp://127.0.0.1:9', key: curveKeyPair().publicKey });
    await until(() => from.states.length > 0, 'the failure');
    expect(from.states).toEqual([expect.stringContaining('nothing listens at tcp://127.0.0.1:9')]);
  });

  it('do not come together with another broker’s key', async () => {
    const at = await router();
    const from = dealer({ endpoint: at.router.endpoint, key: curveKeyPair().publicKey });
    await until(() => from.states.length > 0, 'the failure');
    expect(from.states[0]).toContain('is its key right?');
    expect(at.received).toEqual([]);
  });

  it('D11: close soon with messages that nobody takes any more, on both sides', async () => {
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

  it('an endpoint that is none is said, not thrown', async () => {
    const from = dealer({ endpoint: 'nonsense', key: curveKeyPair().publicKey });
    await until(() => from.states.length > 0, 'the failure');
    expect(from.states).toEqual([expect.stringContaining('no address')]);
  });

  it('nobody gets in without encryption, nor under a routing id of his choice', async () => {
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
