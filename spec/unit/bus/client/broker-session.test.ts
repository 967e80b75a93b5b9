import { describe, expect, it } from 'vitest';
import { brokerA, brokerB } from './fake-broker.ts';
import { setUp, setUpReady } from './set-up.ts';

const both = { brokers: [brokerA, brokerB] };

describe('a client and its brokers', () => {
  it('a client greets, proves its identity by its password, and is connected', async () => {
    const { client, brokers } = setUp();
    const connected = client.connect();
    expect(brokers.last.received).toEqual([]);
    brokers.welcome();
    expect(brokers.last.received[0]).toEqual({ message: { op: 'hello', v: 1 }, body: '' });
    expect(brokers.last.received.at(-1)).toEqual({
      message: { op: 'login', n: 1, team: 'team1', identity: 'hp' },
      body: 'correct horse battery',
    });
    brokers.last.say({ op: 'token', n: 1, expires_ms: 900_000 }, 'jwt-1');
    await connected;
  });

  it('a client with a token needs no login', async () => {
    const { client, brokers, request } = setUp({ credentials: { jwt: 'given' } });
    const connected = client.connect();
    brokers.welcome();
    await connected;
    request();
    expect(brokers.heard('request').jwt).toBe('given');
    expect(brokers.all('login')).toEqual([]);
  });

  it('a client whose login failed says login-failed, and tries again only for a new request', async () => {
    const { client, brokers, clock } = setUp();
    const connected = client.connect();
    brokers.welcome();
    brokers.last.say({ op: 'refused', n: 1, code: 'login-failed', message: 'no', retry_after_ms: null });
    await expect(connected).rejects.toMatchObject({ code: 'login-failed' });
    clock.pass(600_000);
    expect(brokers.connections).toHaveLength(1);
    void client.connect();
    expect(brokers.connections).toHaveLength(2);
  });

  it('a client uses the next broker when one does not answer in time, or cannot be reached', async () => {
    const { client, brokers, clock } = setUp(both);
    const connected = client.connect();
    clock.pass(3_000);
    expect(brokers.connections[0]?.isClosed).toBe(true);
    expect(brokers.last.broker).toEqual(brokerB);
    brokers.letIn();
    await connected;
  });

  it('a client gives each address of a broker its own time', async () => {
    const { client, brokers, clock } = setUp(both);
    const connected = client.connect();
    clock.pass(2_000);
    brokers.last.attempting();
    clock.pass(2_000);
    brokers.letIn();
    await connected;
    expect(brokers.connections).toHaveLength(1);
  });

  it('a client names every broker and its fault when none answers', async () => {
    const { client, brokers, clock } = setUp(both);
    const connected = client.connect();
    brokers.last.down('connection refused');
    clock.pass(3_000);
    await expect(connected).rejects.toMatchObject({
      code: 'broker-unreachable',
      message: 'connection refused; tcp://b:5555 has not answered within 3 s',
    });
  });

  it('a client keeps trying with pauses, and starts at once for a new request', () => {
    const { client, brokers, clock } = setUp();
    client.connect().catch(() => undefined);
    brokers.last.down('connection refused');
    expect(brokers.connections).toHaveLength(1);
    clock.pass(200);
    expect(brokers.connections).toHaveLength(2);
    brokers.last.down('connection refused');
    client.connect().catch(() => undefined);
    expect(brokers.connections).toHaveLength(3);
  });

  it('a client ignores a link that it has left', async () => {
    const { client, brokers } = setUp(both);
    const connected = client.connect();
    const [left] = brokers.connections;
    left?.down('connection refused');
    left?.down('again');
    brokers.letIn();
    await connected;
    left?.say({ op: 'goodbye', brokers: [] });
    expect(brokers.connections).toHaveLength(2);
  });

  it('a client speaks only its own version of the protocol', async () => {
    const { client, brokers } = setUp();
    const connected = client.connect();
    brokers.last.up();
    brokers.last.say({ op: 'welcome', v: 2, broker: 'a', brokers: [], heartbeat_ms: 1, max_message: 1 });
    await expect(connected).rejects.toThrow('speaks version 2 of the protocol, this is 1');
  });

  it('a client leaves a broker that is silent for four heartbeats', () => {
    const { brokers, clock, lost } = setUpReady(both);
    clock.pass(4_000);
    expect(brokers.connections).toHaveLength(1);
    clock.pass(1_000);
    expect(brokers.last.broker).toEqual(brokerB);
    expect(lost).toEqual(['tcp://a:5555 has fallen silent']);
  });

  it('a client stays with a broker that sends heartbeats, and sends them itself', () => {
    const { brokers, clock } = setUpReady();
    for (let second = 0; second < 20; second++) {
      brokers.last.say({ op: 'heartbeat' });
      clock.pass(1_000);
    }
    expect(brokers.connections).toHaveLength(1);
    expect(brokers.all('heartbeat')).toHaveLength(20);
  });

  it('a client that stood still does not count that time as the broker’s silence', () => {
    const { brokers, clock } = setUpReady();
    clock.freeze(60_000);
    clock.pass(3_000);
    expect(brokers.connections).toHaveLength(1);
  });

  it('a client goes to another broker of the welcome message when its own says goodbye', async () => {
    const { client, brokers } = setUp();
    const connected = client.connect();
    brokers.welcome([brokerA, brokerB]);
    brokers.last.say({ op: 'token', n: 1, expires_ms: 900_000 }, 'jwt-1');
    await connected;
    brokers.last.say({ op: 'goodbye', brokers: [] });
    expect(brokers.last.broker).toEqual(brokerB);
    // The token is good there, too.
    brokers.welcome();
    expect(brokers.all('login')).toEqual([]);
  });

  it('a client asks its only broker again after a pause when that one says goodbye', () => {
    const { brokers, clock, request } = setUpReady();
    const asked = request();
    brokers.last.say({ op: 'goodbye', brokers: [] });
    expect(brokers.connections).toHaveLength(1);
    clock.pass(200);
    expect(brokers.connections).toHaveLength(2);
    brokers.welcome();
    expect(brokers.heard('request')).toMatchObject({ id: asked.id, resume: true });
    brokers.last.say({ op: 'refused', id: asked.id, code: 'draining', message: 'stopping', retry_after_ms: null });
    expect(brokers.connections).toHaveLength(2);
    clock.pass(200);
    expect(brokers.connections).toHaveLength(3);
  });

  it('a client renews its token at half its life', () => {
    const { brokers, clock, request } = setUp();
    request();
    brokers.letIn('jwt-1', 4_000);
    clock.pass(1_999);
    expect(brokers.all('login')).toHaveLength(1);
    clock.pass(1);
    brokers.last.say({ op: 'token', n: brokers.heard('login').n, expires_ms: 4_000 }, 'jwt-2');
    request();
    expect(brokers.heard('request').jwt).toBe('jwt-2');
  });

  it('a client says hello again to a broker that has forgotten it, on the same connection', () => {
    const { brokers, lost } = setUpReady(both);
    brokers.last.say({ op: 'reannounce' });
    expect(brokers.connections).toHaveLength(1);
    expect(brokers.all('hello')).toHaveLength(2);
    expect(lost).toEqual([]);
  });

  it('a client keeps a token that could not be renewed while it is valid, and tries again', () => {
    const { brokers, clock, request } = setUp();
    request();
    brokers.letIn('jwt-1', 12_000);
    const refuse = (): void =>
      brokers.last.say({
        op: 'refused',
        n: brokers.heard('login').n,
        code: 'too-many-attempts',
        message: 'wait',
        retry_after_ms: 1_000,
      });
    const pass = (seconds: number): void => {
      for (let second = 0; second < seconds; second++) {
        brokers.last.say({ op: 'heartbeat' });
        clock.pass(1_000);
      }
    };
    pass(6);
    refuse();
    request();
    expect(brokers.heard('request').jwt).toBe('jwt-1');
    pass(3);
    expect(brokers.all('login')).toHaveLength(3);
  });
});
