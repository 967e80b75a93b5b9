import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { curveKeyPair } from 'zeromq';
import { Client, type ConnectOptions, type RunningRequest } from '../../../src/client/client.ts';
import { BusConnection } from '../../../src/daemon/mount/bus-connection.ts';
import { silentLog } from '../../../src/kit/log.ts';
import { FakeRegistry, quietPeers, startTestBroker, type TestBroker } from '../../support/bus.ts';
import { succeeded, type TestWorker, worker } from '../../support/peers.ts';
import { until } from '../../support/wait.ts';

const password = { team: 'team1', identity: 'hp', secret: 'secret' } as const;
const registry = new FakeRegistry().worker('team1', 'demo01').service('team1', 'demo', ['demo01']);

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

const connect = async (options: Partial<ConnectOptions> & Pick<ConnectOptions, 'brokers'>): Promise<Client> => {
  const client = await Client.connect({ ...password, ...options });
  open.push(client);
  return client;
};

const linesOf = async (request: RunningRequest, lines: string[] = []): Promise<string[]> => {
  for await (const { worker: from, stream, line } of request.lines) lines.push(`${from} ${stream} ${line}`);
  return lines;
};

describe('a client of a broker', () => {
  let at: TestBroker;
  let working: TestWorker;
  beforeAll(async () => {
    at = await startTestBroker({ registry, limits: quietPeers });
    working = await worker(at.address);
  });
  afterAll(async () => {
    await working.close();
    await at.broker.stop();
  });

  /** The request that the worker got last. */
  const got = async (id: string) => until(() => working.of('request').find((each) => each.id === id), 'the request');

  it('a client logs in, sends a request, reads lines as they arrive, and gets the result', async () => {
    const client = await connect({ brokers: [at.address] });
    const request = client.request({
      service: 'demo',
      plugin: 'command',
      payload: 'uptime',
      args: { a: 'b' },
      timeoutMs: 9_000,
    });
    const lines = linesOf(request);
    const { id, body, args, plugin } = await got(request.id);
    expect([body, args, plugin]).toEqual(['uptime', { a: 'b' }, 'command/command']);
    working.say({ op: 'partial', id, stream: 'out', offset: 0 }, 'up 3 da');
    working.say({ op: 'partial', id, stream: 'err', offset: 7 }, 'oops\n');
    working.say({ op: 'partial', id, stream: 'out', offset: 12 }, 'ys\n');
    working.say(succeeded(id, { result: 'failed', exit_code: 3, output_bytes: 15 }));
    expect(await lines).toEqual(['demo01 err oops', 'demo01 out up 3 days']);
    expect(await request.result).toMatchObject({
      algorithm: 'roundrobin',
      result: 'failed',
      exitCode: 3,
      legs: [{ worker: 'demo01', exitCode: 3, outputBytes: 15 }],
    });
  });

  it('a client can use a token, and name a worker as the service', async () => {
    const client = await Client.connect({ brokers: [at.address], jwt: 'jwt:hp@team1' });
    open.push(client);
    const request = client.request({ service: 'demo01', plugin: 'echo', output: 'discard' });
    await got(request.id);
    working.say(succeeded(request.id));
    expect(await request.result).toMatchObject({ result: 'succeeded', algorithm: null });
  });

  it('a client cancels its request when its signal is aborted: the worker is told, and reports how the request ended', async () => {
    const client = await connect({ brokers: [at.address] });
    const abort = new AbortController();
    const request = client.request({ service: 'demo', plugin: 'echo', signal: abort.signal });
    await got(request.id);
    abort.abort();
    const { reason } = await until(() => working.of('cancel').find(({ id }) => id === request.id), 'the cancel');
    expect(reason).toBe('cancelled by hp@team1');
    working.say(succeeded(request.id, { result: 'killed', exit_code: null, signal: 'SIGTERM' }));
    expect(await request.result).toMatchObject({ result: 'killed', signal: 'SIGTERM' });
  });

  it.each([
    ['cancels what runs when it is closed', (client: Client) => client.close()],
    ['cancels what runs when its scope ends', (client: Client) => client[Symbol.asyncDispose]()],
  ])('a client %s, and gets the result', async (_, close) => {
    const client = await Client.connect({ ...password, brokers: [at.address] });
    const request = client.request({ service: 'demo', plugin: 'echo' });
    await got(request.id);
    const closed = close(client);
    await until(() => working.of('cancel').find(({ id }) => id === request.id), 'the cancel');
    working.say(succeeded(request.id, { result: 'killed', exit_code: null, signal: 'SIGTERM' }));
    await closed;
    expect(await request.result).toMatchObject({ result: 'killed', signal: 'SIGTERM' });
  });

  it('a client that is closed with its requests left running leaves the job to the next client, which resumes it', async () => {
    const client = await Client.connect({ ...password, brokers: [at.address] });
    const request = client.request({ service: 'demo', plugin: 'echo' });
    const { id } = await got(request.id);
    await client.close({ open: 'leave' });
    await expect(request.result).rejects.toMatchObject({ code: 'broker-unreachable' });
    const next = await connect({ brokers: [at.address] });
    const again = next.request({ id, resume: true, service: 'demo', plugin: 'echo' });
    await until(() => working.of('query').find((query) => query.id === id), 'the question');
    expect(working.of('cancel').filter((cancel) => cancel.id === id)).toEqual([]);
    working.say({ op: 'known', id, known: true });
    working.say(succeeded(id));
    expect(await again.result).toMatchObject({ result: 'succeeded' });
  });

  it('a client of the trigger files leaves running requests when its daemon stops, and the next start resumes them', async () => {
    const connection = new BusConnection(() => ({ ...password, brokers: [at.address] }), silentLog);
    const { id, result } = (await connection.client()).request({ service: 'demo', plugin: 'echo' });
    await got(id);
    await connection.close();
    await expect(result).rejects.toMatchObject({ code: 'broker-unreachable' });
    const probe = await connect({ brokers: [at.address] });
    const after = probe.request({ service: 'demo', plugin: 'echo' });
    await got(after.id);
    expect(working.of('cancel').filter((cancel) => cancel.id === id)).toEqual([]);
    for (const each of [id, after.id]) working.say(succeeded(each));
    await after.result;
  });

  it('a client is refused with the codes of the catalogue', async () => {
    const client = await connect({ brokers: [at.address] });
    await expect(client.request({ service: 'nowhere', plugin: 'echo' }).result).rejects.toMatchObject({
      code: 'service-not-found',
      retryable: false,
    });
    expect(() => client.request({ service: 'demo', plugin: '../x' })).toThrow('is not a plugin name');
    expect(() => client.request({ service: 'de\nmo', plugin: 'x' })).toThrow('of the wrong kind');
    expect(() => client.request({ service: 'demo', plugin: 'x', payload: Buffer.alloc(1_048_577) })).toThrow(
      'the broker accepts 1048576',
    );
    await expect(connect({ brokers: [at.address], secret: 'wrong' } as never)).rejects.toMatchObject({
      code: 'login-failed',
    });
  });

  it('a client sends statements to the registry', async () => {
    const client = await connect({ brokers: [at.address] });
    expect(await client.registry({ verb: 'team.list' })).toMatchObject({
      caller: { identity: 'hp', team: 'team1', role: 'member' },
      statement: { verb: 'team.list' },
    });
  });

  it('a client that reads slowly is sent no more than the window', async () => {
    const client = await connect({ brokers: [at.address] });
    const request = client.request({ service: 'demo', plugin: 'echo' });
    const { id } = await got(request.id);
    const piece = 'x'.repeat(65_536);
    const total = 64;
    let sent = 0;
    const acked = (): number => working.of('ack').findLast((ack) => ack.id === id)?.bytes ?? 0;
    const send = (): void => {
      for (; sent < total && (sent + 1) * piece.length - acked() <= 1_048_576; sent++)
        working.say({ op: 'partial', id, stream: 'out', offset: sent * piece.length }, piece);
    };
    send();
    expect(sent).toBe(16);
    let bytes = 0;
    for await (const chunk of request.output) {
      bytes += chunk.bytes.length;
      // As much as this reader has made room for, and no more.
      expect(sent * piece.length - bytes).toBeLessThanOrEqual(1_048_576);
      if (sent < total) await until(() => bytes - acked() <= 262_144, 'the acknowledgement');
      send();
      if (bytes === total * piece.length) working.say(succeeded(id));
    }
    expect(bytes).toBe(total * piece.length);
  });
});

describe('a client that asks nothing', () => {
  it('a client without requests stays connected for longer than the broker waits for a silent peer', async () => {
    const heartbeatMs = 400;
    const at = await startTestBroker({ registry, limits: { heartbeatMs } });
    open.push({ close: () => at.broker.stop() });
    const client = await connect({ brokers: [at.address], onBrokerLost: (why) => expect.fail(why) });
    const endsAt = Date.now() + 6 * heartbeatMs;
    await until(() => Date.now() > endsAt, 'six heartbeats');
    expect(at.broker.state.peers).toBe(1);
    await expect(client.request({ service: 'demo', plugin: 'echo' }).result).rejects.toMatchObject({
      code: 'no-worker',
    });
  });
});

describe('a client that cannot connect', () => {
  it('a client says that nothing listens at the address', async () => {
    await expect(
      Client.connect({ ...password, brokers: [{ endpoint: 'tcp://127.0.0.1:9', key: curveKeyPair().publicKey }] }),
    ).rejects.toMatchObject({ code: 'broker-unreachable', message: expect.stringContaining('nothing listens at') });
  });

  it('a client says that the key is not the broker’s', async () => {
    const at = await startTestBroker({ registry });
    open.push({ close: () => at.broker.stop() });
    await expect(
      Client.connect({ ...password, brokers: [{ endpoint: at.address.endpoint, key: curveKeyPair().publicKey }] }),
    ).rejects.toMatchObject({ code: 'broker-unreachable', message: expect.stringContaining('is its key right?') });
  });
});

describe('a client of two brokers', () => {
  it('a client continues with the other broker under the same ID, and with its output where it was', async () => {
    const [first, second] = [
      await startTestBroker({ id: 'b1', registry, limits: quietPeers, drainMs: 0 }),
      await startTestBroker({ id: 'b2', registry, limits: quietPeers }),
    ];
    open.push({ close: () => second.broker.stop() });
    const [here, there] = [await worker(first.address), await worker(second.address)];
    open.push(there);
    const lost: string[] = [];
    const brokers = [first.address, second.address];
    const client = await connect({ brokers, onBrokerLost: (why) => void lost.push(why) });
    const request = client.request({ service: 'demo', plugin: 'echo' });
    const read: string[] = [];
    const lines = linesOf(request, read);
    const { id } = await here.hears('request');
    here.say({ op: 'partial', id, stream: 'out', offset: 0 }, 'one\ntw');
    await until(() => read.length === 1, 'the first line');
    await first.broker.stop();
    await here.close();
    expect((await there.hears('query')).id).toBe(id);
    there.say({ op: 'known', id, known: true });
    there.say({ op: 'partial', id, stream: 'out', offset: 0 }, 'one\n');
    there.say({ op: 'partial', id, stream: 'out', offset: 4 }, 'two\n');
    there.say(succeeded(id));
    expect(await lines).toEqual(['demo01 out one', 'demo01 out two']);
    expect(await request.result).toMatchObject({ id, result: 'succeeded' });
    expect(there.of('request')).toEqual([]);
    expect(lost).toHaveLength(1);
  });

  it('a client uses the second broker where the first is away', async () => {
    const at = await startTestBroker({ registry });
    open.push({ close: () => at.broker.stop() });
    const away = { endpoint: 'tcp://127.0.0.1:9', key: curveKeyPair().publicKey };
    const client = await connect({ brokers: [away, at.address] });
    await expect(client.request({ service: 'demo', plugin: 'echo' }).result).rejects.toMatchObject({
      code: 'no-worker',
    });
  });
});
