import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Context, curveKeyPair, Dealer, Reply } from 'zeromq';
import { openRouter } from '../../../src/adapters/zmq/router.ts';
import { type Authenticator, answerTo, startAuthenticator, zapAddress } from '../../../src/adapters/zmq/zap.ts';
import { encodeFromWorker } from '../../../src/bus/codec/encode.ts';
import { maxBatch, pack } from '../../../src/bus/codec/pack.ts';
import { decodeToWorker } from '../../../src/bus/codec/to-worker.ts';
import { silentLog } from '../../../src/kit/log.ts';
import { quietPeers, startTestBroker, type TestBroker } from '../../support/bus.ts';
import {
  client,
  Peer,
  requestFor,
  sayReady,
  succeeded,
  type TestClient,
  type TestWorker,
  worker,
} from '../../support/peers.ts';
import { announced } from '../../support/random.ts';
import { dial } from '../../support/sockets.ts';
import { until } from '../../support/wait.ts';

describe('hostile peers of a real broker', () => {
  let at: TestBroker;
  let asking: TestClient;
  let working: TestWorker;
  const open: { close(): unknown }[] = [];

  beforeAll(async () => {
    at = await startTestBroker({ limits: quietPeers });
    at.registry.worker('team1', 'demo01').service('team1', 'demo', ['demo01']);
    working = await worker(at.address, { free: 64 });
    asking = await client(at.address);
  });
  afterEach(async () => {
    for (const thing of open.splice(0)) await thing.close();
  });
  afterAll(async () => {
    await asking.close();
    await working.close();
    await at.broker.stop();
  });

  /** One request there and back: honest ones are served, and how soon. */
  const isServed = async (): Promise<number> => {
    const begun = performance.now();
    const request = requestFor('demo');
    asking.say(request);
    await until(() => working.of('request').some(({ id }) => id === request.id), 'the request at the worker');
    working.say(succeeded(request.id, { free: 64 }));
    await until(() => asking.of('final').some(({ id }) => id === request.id), 'the end of the request');
    return performance.now() - begun;
  };

  /** A raw dealer with a key pair of its own, encrypted as it should be. */
  const dealer = (): Dealer => {
    const pair = curveKeyPair();
    const socket = new Dealer({
      linger: 0,
      curveServerKey: at.address.key,
      curvePublicKey: pair.publicKey,
      curveSecretKey: pair.secretKey,
    });
    socket.connect(at.address.endpoint);
    open.push({ close: () => socket.close() });
    return socket;
  };

  const tcp = (bytes: Buffer): Promise<void> =>
    new Promise((resolve) => {
      const { hostname, port } = new URL(at.address.endpoint);
      const socket = connect(Number(port), hostname, () => socket.end(bytes));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
      socket.setTimeout(200, () => socket.destroy());
      socket.resume();
    });

  it('D8: random TCP, ZMTP greetings and CURVE frames of all sizes harm no peer of the broker', async () => {
    const random = announced('garbage on the socket');
    const bytes = (length: number) => Buffer.from(Array.from({ length }, () => random.between(0, 256)));
    const greeting = Buffer.concat([
      Buffer.from('ff00000000000000017f03', 'hex'),
      Buffer.from('CURVE'),
      Buffer.alloc(48),
    ]);
    const connections = Array.from({ length: 150 }, () => {
      const garbage = bytes(random.between(0, 300));
      return tcp(random.next() < 0.5 ? garbage : Buffer.concat([greeting.subarray(0, random.between(1, 65)), garbage]));
    });
    const hostile = dealer();
    const known = at.observer.lines.length;
    for (let count = 0; count < 300; count++) {
      const frames = Array.from({ length: random.pick([1, 1, 1, 2, 50, 1_000]) }, () =>
        bytes(random.pick([0, 1, 8, 100])),
      );
      await hostile.send(frames);
      await hostile.send(
        pack(
          Array.from({ length: random.between(1, maxBatch + 5) }, () => ({
            head: bytes(40).toString('latin1'),
            body: bytes(9),
          })),
        ),
      );
    }
    await until(() => at.observer.lines.length >= known + 600, 'all of it');
    await Promise.all(connections);
    expect(at.observer.lines.slice(known).every((line) => line === 'malformed')).toBe(true);
    await isServed();
    expect(at.broker.state).toMatchObject({ peers: 2, workers: 1 });
  });

  it('D8: a frame that is larger than allowed ends its own connection only', async () => {
    const hostile = dealer();
    await hostile.send(pack([{ head: '{"op":"hello","v":1}', body: Buffer.alloc(0) }]));
    await until(() => at.broker.state.peers === 3, 'the session');
    await hostile.send(Buffer.alloc(4 * 1_048_576));
    await isServed();
  });

  it('D9: idle connections, and hundreds that come and go, leave nothing behind and delay nobody', async () => {
    const { hostname, port } = new URL(at.address.endpoint);
    const idle = Array.from({ length: 300 }, () => connect(Number(port), hostname));
    await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    for (let round = 0; round < 20; round++) {
      const peers = Array.from({ length: 10 }, () => dealer());
      for (const peer of peers)
        await peer.send(pack([{ head: '{"op":"heartbeat","free":1,"seen":0}', body: Buffer.alloc(0) }]));
      for (const thing of open.splice(0)) thing.close();
    }
    await isServed();
    for (const socket of idle) socket.destroy();
    expect(at.broker.state.workers).toBe(1);
    await until(() => at.broker.state.peers <= 3, 'the strangers to be forgotten');
  });

  it('D4: a client that reads nothing slows its own request, and no other one', async () => {
    const slow = await client(at.address);
    open.push(slow);
    const request = requestFor('demo');
    slow.say(request);
    await until(() => working.of('request').some(({ id }) => id === request.id), 'the request');
    const chunk = 'x'.repeat(65_536);
    for (let part = 0; part < 16; part++)
      working.say({ op: 'partial', id: request.id, stream: 'out', offset: part * chunk.length }, chunk);
    await until(() => slow.of('partial').length === 16, 'one window of output');
    // Nothing is acknowledged: the worker may not send more, and others continue.
    await isServed();
    expect(working.of('ack').filter(({ id }) => id === request.id)).toEqual([]);
    slow.say({ op: 'ack', id: request.id, worker: 'demo01', bytes: 1_048_576 });
    await until(() => working.of('ack').some(({ id, bytes }) => id === request.id && bytes === 1_048_576), 'the ack');
    working.say(succeeded(request.id, { free: 64 }));
    await slow.hears('final');
  });

  it('D12: ten thousand messages sent at once arrive, each once', async () => {
    const from = await client(at.address);
    open.push(from);
    for (let n = 0; n < 10_000; n++) from.say({ op: 'login', n, team: 'team1', identity: 'user1' }, 'wrong');
    await until(() => from.of('refused').length === 10_000, 'the answers');
    expect(new Set(from.of('refused').map(({ n }) => n)).size).toBe(10_000);
  });

  it('D10: a second process of a worker’s identity, and one of another team, are refused; the first continues', async () => {
    for (const claim of [{ identity: 'demo01' }, { identity: 'demo01', team: 'team2' }, { identity: '../demo01' }]) {
      const second: TestWorker = new Peer(at.address, encodeFromWorker, decodeToWorker);
      open.push(second);
      await second.up();
      sayReady(second, claim);
      expect(await second.hears('refused')).toMatchObject({ code: 'worker-refused' });
    }
    await isServed();
  });
});

describe('the authenticator', () => {
  it('G3: when the authenticator ends, nobody is served any more, not even connected peers', async () => {
    const pair = curveKeyPair();
    let authenticator: Authenticator | undefined;
    const dead: Error[] = [];
    const heard: Buffer[] = [];
    const router = await openRouter(
      { listen: 'tcp://127.0.0.1:0', secretKey: pair.secretKey, maxMessage: 1_000, log: silentLog },
      {
        frames: (_, frames) => void heard.push(...frames),
        gone: () => undefined,
        dead: (error) => void dead.push(error),
      },
      async (context, log) => {
        authenticator = await startAuthenticator(context, log);
        return authenticator;
      },
    );
    const inside = dial({ endpoint: router.endpoint, key: pair.publicKey });
    await until(() => inside.states.at(-1) === 'up', 'the first connection');
    await authenticator?.close();
    await until(() => dead.length === 1, 'the end of the router');
    await until(() => inside.states.at(-1)?.startsWith('down'), 'the loss of the connection');
    const outside = dial({ endpoint: router.endpoint, key: pair.publicKey });
    await until(() => outside.states.length > 0, 'the refusal');
    expect(outside.states[0]).toContain('nothing listens');
    await Promise.all([inside.connection.close(), outside.connection.close(), router.close()]);
  });

  it('G3: the authenticator admits only encrypted peers of its own domain', async () => {
    const frame = (text: string) => Buffer.from(text);
    const question = (...changes: [at: number, value: Buffer][]) => {
      const frames: Buffer[] = [
        frame('1.0'),
        frame('7'),
        frame('triggerd'),
        frame('127.0.0.1'),
        frame(''),
        frame('CURVE'),
        Buffer.alloc(32),
      ];
      for (const [index, value] of changes) frames[index] = value;
      return answerTo(frames)[2];
    };
    expect(question()).toBe('200');
    expect(question([0, frame('2.0')])).toBe('400');
    expect(question([2, frame('global')])).toBe('400');
    expect(question([5, frame('NULL')])).toBe('400');
    expect(question([6, Buffer.alloc(31)])).toBe('400');
    expect(answerTo([])[2]).toBe('400');
  });

  it('the authenticator has its own address in each context', async () => {
    const context = new Context();
    const first = await startAuthenticator(context, silentLog);
    const second = new Reply({ context });
    await expect(second.bind(zapAddress)).rejects.toThrow();
    second.close();
    await first.close();
  });
});
