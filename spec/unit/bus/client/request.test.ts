import { describe, expect, it } from 'vitest';
import type { ClientRequest } from '../../../../src/bus/client/client-request.ts';
import { TriggerdError } from '../../../../src/domain/errors.ts';
import { brokerA, brokerB, type FakeBrokers, succeeded } from './fake-broker.ts';
import { idOf, setUp, setUpReady } from './set-up.ts';

const both = { brokers: [brokerA, brokerB] };
const id = idOf(1);
const refusal = { message: 'no', retry_after_ms: null } as const;

const partial = (brokers: FakeBrokers, offset: number, text: string, worker = 'demo01'): void =>
  brokers.last.say({ op: 'partial', id, worker, stream: 'out', offset }, text);

const textOf = async (request: ClientRequest): Promise<string> => {
  let text = '';
  for await (const { worker, bytes } of request.output) text += `${worker}:${bytes} `;
  return text.trimEnd();
};

describe('a request', () => {
  it('a request is sent once a broker is connected, with all that it needs', () => {
    const { brokers, request } = setUp();
    request({ args: { recipient: '0123' }, chain: ['f1'], ttl: 7 });
    brokers.letIn();
    expect(brokers.last.received.at(-1)).toEqual({
      message: {
        op: 'request',
        jwt: 'jwt-1',
        id,
        service: 'demoservice',
        plugin: 'echo',
        args: { recipient: '0123' },
        timeout_ms: 10_000,
        resume: false,
        worker: null,
        chain: ['f1'],
        ttl: 7,
      },
      body: 'uptime',
    });
  });

  it('a request returns algorithm, output and result', async () => {
    const { brokers, request } = setUpReady();
    const asked = request();
    brokers.last.say({ op: 'accepted', id, algorithm: 'roundrobin' });
    brokers.last.say({ op: 'dispatched', id, worker: 'demo01' });
    partial(brokers, 0, 'one');
    partial(brokers, 3, 'two');
    brokers.last.say({ op: 'leg', id, worker: 'demo01', ...succeeded, exit_code: 7, result: 'failed' });
    brokers.last.say({ op: 'final', id, ...succeeded, exit_code: 7, result: 'failed' });
    expect(await asked.accepted).toMatchObject({ algorithm: 'roundrobin' });
    expect(await textOf(asked)).toBe('demo01:one demo01:two');
    expect(await asked.result).toMatchObject({
      id,
      algorithm: 'roundrobin',
      result: 'failed',
      exitCode: 7,
      legs: [{ worker: 'demo01', result: 'failed', exitCode: 7 }],
    });
  });

  it('a request learns everything from the final message, if no other arrives', async () => {
    const { brokers, request } = setUpReady();
    const asked = request();
    const whole = { algorithm: 'roundrobin', worker: 'demo01', stream: 'out' } as const;
    brokers.last.say({ op: 'final', id, ...whole, ...succeeded, output_bytes: 3 }, 'one');
    expect(await asked.accepted).toMatchObject({ algorithm: 'roundrobin' });
    expect(await textOf(asked)).toBe('demo01:one');
    expect(await asked.result).toMatchObject({
      algorithm: 'roundrobin',
      result: 'succeeded',
      legs: [{ worker: 'demo01', result: 'succeeded', outputBytes: 3 }],
    });
    expect(brokers.all('ack')).toEqual([]);
  });

  it('a request that is refused is an error of the catalogue, for whoever reads the result', async () => {
    const { brokers, request } = setUpReady();
    const asked = request();
    brokers.last.say({ op: 'refused', id, code: 'broker-busy', message: 'full\u001b[31m', retry_after_ms: 500 });
    const error = { code: 'broker-busy', message: 'full\\e[31m', details: { retry_after_ms: 500 } };
    await expect(asked.result).rejects.toMatchObject(error);
    await expect(asked.accepted).rejects.toMatchObject(error);
    await expect(textOf(asked)).rejects.toMatchObject(error);
  });

  it('a request that its only worker refused is an error, too, and names the worker', async () => {
    const { brokers, request } = setUpReady();
    const asked = request();
    const ending = {
      ...succeeded,
      result: 'refused',
      exit_code: null,
      code: 'plugin-not-found',
      reason: 'no x',
    } as const;
    brokers.last.say({ op: 'leg', id, worker: 'demo01', ...ending });
    brokers.last.say({ op: 'final', id, ...ending });
    await expect(asked.result).rejects.toMatchObject({ code: 'plugin-not-found', message: 'demo01: no x' });
  });

  it('a request of which one worker of several was lost has a result', async () => {
    const { brokers, request } = setUpReady();
    const asked = request();
    brokers.last.say({ op: 'accepted', id, algorithm: 'mirror' });
    const lost = { ...succeeded, result: 'lost', exit_code: null, code: 'worker-lost' } as const;
    brokers.last.say({ op: 'leg', id, worker: 'demo01', ...succeeded });
    brokers.last.say({ op: 'leg', id, worker: 'demo02', ...lost });
    brokers.last.say({ op: 'final', id, ...lost });
    expect(await asked.result).toMatchObject({ result: 'lost', legs: [{ worker: 'demo01' }, { worker: 'demo02' }] });
  });

  it('a request that was lost with one worker after the other is an error', async () => {
    const { brokers, request } = setUpReady();
    const asked = request();
    brokers.last.say({ op: 'accepted', id, algorithm: 'roundrobin' });
    const lost = { ...succeeded, result: 'lost', exit_code: null, code: 'worker-lost', reason: 'gone' } as const;
    brokers.last.say({ op: 'leg', id, worker: 'demo01', ...lost });
    brokers.last.say({ op: 'leg', id, worker: 'demo02', ...lost });
    brokers.last.say({ op: 'final', id, ...lost });
    await expect(asked.result).rejects.toMatchObject({ code: 'worker-lost', message: 'demo02: gone' });
  });

  it.each([{ service: '' }, { service: 'de\nmo' }, { ttl: 0.5 }, { args: { __proto__x: 'y'.repeat(70_000) } }])(
    'a request that no broker would understand is refused by the client: %o',
    (order) => {
      const { request } = setUpReady();
      expect(() => request(order)).toThrow(TriggerdError);
    },
  );

  it.each(['../x', '/etc/passwd', 'a//b', ''])('a request for the plugin “%s” is refused by the client', (plugin) => {
    const { request } = setUpReady();
    expect(() => request({ plugin })).toThrow('is not a plugin name');
  });

  it('a request for `command` is one for `command/command`', () => {
    const { brokers, request } = setUpReady();
    request({ plugin: 'command' });
    expect(brokers.heard('request').plugin).toBe('command/command');
  });

  it('a request larger than the broker accepts is refused by the client', () => {
    const { request } = setUpReady();
    expect(() => request({ payload: Buffer.alloc(1_001) })).toThrow('1001 bytes; the broker accepts 1000');
  });

  it('a request from before the connection is not sent to a broker that it is too large for', async () => {
    const { brokers, request } = setUp();
    const asked = request({ payload: Buffer.alloc(1_001) });
    brokers.letIn();
    await expect(asked.result).rejects.toMatchObject({ code: 'request-too-large' });
    expect(brokers.all('request')).toEqual([]);
  });

  it('a request fails when no broker can be reached', async () => {
    const { brokers, request } = setUp();
    const asked = request();
    brokers.last.down('connection refused');
    await expect(asked.result).rejects.toMatchObject({ code: 'broker-unreachable' });
  });
});

describe('a request whose broker is gone', () => {
  it('a request whose broker is lost goes to the next one under the same ID, with the worker and the time left', () => {
    const { brokers, clock, request } = setUpReady(both);
    request();
    brokers.last.say({ op: 'accepted', id, algorithm: 'roundrobin' });
    brokers.last.say({ op: 'dispatched', id, worker: 'demo02' });
    clock.pass(2_000);
    brokers.last.down('gone');
    brokers.welcome();
    expect(brokers.last.broker).toEqual(brokerB);
    expect(brokers.heard('request')).toMatchObject({ id, resume: true, worker: 'demo02', timeout_ms: 8_000 });
  });

  it('a request whose broker is lost asks for no single worker where it has several legs', () => {
    const { brokers, request } = setUpReady(both);
    request();
    brokers.last.say({ op: 'accepted', id, algorithm: 'mirror' });
    brokers.last.say({ op: 'dispatched', id, worker: 'demo02' });
    brokers.last.down('gone');
    brokers.welcome();
    expect(brokers.heard('request')).toMatchObject({ resume: true, worker: null });
  });

  it('a request whose broker is lost says `resume`, even where nothing was heard of it, and in all later attempts', () => {
    const { brokers, request } = setUpReady(both);
    request();
    brokers.last.down('gone');
    brokers.welcome();
    brokers.last.say({ op: 'refused', id, code: 'draining', ...refusal });
    brokers.welcome();
    expect(brokers.last.broker).toEqual(brokerA);
    expect(brokers.heard('request').resume).toBe(true);
  });

  it('a request whose broker had not accepted it goes to the next one unchanged', () => {
    const { brokers, request } = setUpReady(both);
    request();
    brokers.last.say({ op: 'refused', id, code: 'draining', ...refusal });
    brokers.welcome();
    expect(brokers.last.broker).toEqual(brokerB);
    expect(brokers.heard('request').resume).toBe(false);
  });

  it('a request whose broker is lost gets the output from the first byte again, and returns it once and whole', async () => {
    const { brokers, request } = setUpReady(both);
    const asked = request();
    partial(brokers, 0, 'one');
    brokers.last.down('gone');
    brokers.welcome();
    partial(brokers, 0, 'o');
    partial(brokers, 1, 'net');
    partial(brokers, 4, 'wo');
    brokers.last.say({ op: 'final', id, ...succeeded });
    expect(await textOf(asked)).toBe('demo01:one demo01:t demo01:wo');
  });

  it('a request whose broker is lost begins again with a run that begins again on the same worker', async () => {
    const { brokers, request } = setUpReady();
    const asked = request();
    brokers.last.say({ op: 'dispatched', id, worker: 'demo01' });
    partial(brokers, 0, 'one');
    brokers.last.say({ op: 'dispatched', id, worker: 'demo01' });
    partial(brokers, 0, 'two');
    brokers.last.say({ op: 'final', id, ...succeeded });
    expect(await textOf(asked)).toBe('demo01:one demo01:two');
  });

  it('a request whose broker is lost ends when output is missing', async () => {
    const { brokers, request } = setUpReady();
    const asked = request();
    partial(brokers, 5, 'x');
    await expect(asked.result).rejects.toMatchObject({ code: 'bus-protocol' });
    expect(brokers.heard('cancel').id).toBe(id);
  });

  it('a request whose broker is lost waits longer for another one than a new request, but not forever', async () => {
    const { brokers, clock, request } = setUpReady();
    const asked = request();
    brokers.last.down('gone');
    const later = request();
    brokers.last.down('connection refused');
    await expect(later.result).rejects.toMatchObject({ code: 'broker-unreachable' });
    clock.pass(30_000);
    await expect(asked.result).rejects.toThrow('the request may have run');
  });
});

describe('the time of a request', () => {
  it('a request’s time ends a little after the broker should have said so', async () => {
    const { brokers, clock, request } = setUpReady();
    const asked = request({ timeoutMs: 3_000 });
    for (let second = 0; second < 23; second++) {
      brokers.last.say({ op: 'heartbeat' });
      clock.pass(1_000);
    }
    expect(await asked.result).toMatchObject({ result: 'timed-out', exitCode: null });
  });
});

describe('a token that is refused', () => {
  it('a token that is refused is replaced by the password, once, and the request sent again', async () => {
    const { brokers, request } = setUpReady();
    const asked = request();
    brokers.last.say({ op: 'refused', id, code: 'token-invalid', ...refusal });
    brokers.last.say({ op: 'token', n: brokers.heard('login').n, expires_ms: 900_000 }, 'jwt-2');
    expect(brokers.heard('request')).toMatchObject({ id, jwt: 'jwt-2', resume: false });
    brokers.last.say({ op: 'refused', id, code: 'token-invalid', ...refusal });
    await expect(asked.result).rejects.toMatchObject({ code: 'token-invalid' });
  });

  it('a token that is refused is final where no password is known', async () => {
    const { client, brokers, request } = setUp({ credentials: { jwt: 'given' } });
    void client.connect();
    brokers.welcome();
    const asked = request();
    brokers.last.say({ op: 'refused', id, code: 'token-invalid', ...refusal });
    await expect(asked.result).rejects.toMatchObject({ code: 'token-invalid' });
  });

  it('a refused token ends waiting requests when the password is wrong, too', async () => {
    const { brokers, request } = setUpReady();
    const asked = request();
    brokers.last.say({ op: 'refused', id, code: 'token-invalid', ...refusal });
    brokers.last.say({ op: 'refused', n: brokers.heard('login').n, code: 'login-failed', ...refusal });
    await expect(asked.result).rejects.toMatchObject({ code: 'login-failed' });
  });
});

describe('cancelling', () => {
  it('a cancel ends a request that no broker had', async () => {
    const { brokers, request } = setUp();
    const asked = request();
    asked.cancel();
    expect(await asked.result).toMatchObject({ result: 'killed', reason: 'cancelled before a broker had it' });
    brokers.letIn();
    expect(brokers.all('request')).toEqual([]);
  });

  it('a cancel is sent to the broker, and the result is what the worker says', async () => {
    const { brokers, request } = setUpReady();
    const asked = request();
    asked.cancel();
    expect(brokers.heard('cancel')).toEqual({ op: 'cancel', jwt: 'jwt-1', id });
    brokers.last.say({ op: 'final', id, ...succeeded, result: 'killed', exit_code: null, signal: 'SIGTERM' });
    expect(await asked.result).toMatchObject({ result: 'killed', signal: 'SIGTERM' });
  });

  it('a cancel is repeated to the next broker', () => {
    const { brokers, request } = setUpReady(both);
    request().cancel();
    brokers.last.down('gone');
    brokers.welcome();
    expect(brokers.heard('request').resume).toBe(true);
    expect(brokers.heard('cancel').id).toBe(id);
  });

  it('a cancel waits for the confirmation, but not forever', async () => {
    const { brokers, clock, request } = setUpReady();
    const asked = request({ timeoutMs: null });
    asked.cancel();
    brokers.last.down('gone');
    clock.pass(30_000);
    expect(await asked.result).toMatchObject({ result: 'lost' });
  });
});

describe('closing', () => {
  it('a close cancels open requests, and says goodbye when they have ended', async () => {
    const { client, brokers, request } = setUpReady();
    const asked = request();
    const closed = client.close();
    expect(brokers.heard('cancel').id).toBe(id);
    expect(brokers.all('disconnect')).toEqual([]);
    expect(() => request()).toThrow('the client is closed');
    brokers.last.say({ op: 'final', id, ...succeeded, result: 'killed', exit_code: null, signal: 'SIGTERM' });
    expect(await asked.result).toMatchObject({ result: 'killed' });
    await closed;
    expect(brokers.all('disconnect')).toHaveLength(1);
    expect(brokers.last.isClosed).toBe(true);
  });

  it('a close waits at most 10 s for cancelled requests', async () => {
    const { client, brokers, clock, request } = setUpReady();
    const asked = request({ timeoutMs: null });
    const closed = client.close();
    clock.pass(10_000);
    await closed;
    await expect(asked.result).rejects.toThrow(
      'the client was closed; nobody has confirmed that what it asked for ended',
    );
    expect(brokers.last.isClosed).toBe(true);
  });

  it('a close cancels at the next broker, where the first one is lost', async () => {
    const { client, brokers, request } = setUpReady(both);
    request();
    const closed = client.close();
    brokers.last.down('gone');
    brokers.welcome();
    expect(brokers.heard('cancel').id).toBe(id);
    brokers.last.say({ op: 'final', id, ...succeeded, result: 'killed', exit_code: null, signal: 'SIGTERM' });
    await closed;
  });

  it('a close discards output that nobody reads, so that the job can end', async () => {
    const { client, brokers, request } = setUpReady();
    request();
    brokers.last.say({ op: 'dispatched', id, worker: 'demo01', algorithm: 'roundrobin' });
    partial(brokers, 0, 'x'.repeat(1_048_576));
    expect(brokers.all('ack')).toEqual([]);
    const closed = client.close();
    expect(brokers.heard('ack').bytes).toBe(1_048_576);
    brokers.last.say({ op: 'final', id, ...succeeded });
    await closed;
  });

  it('a second close does nothing', async () => {
    const { client, brokers } = setUpReady();
    await Promise.all([client.close(), client.close()]);
    expect(brokers.all('disconnect')).toHaveLength(1);
  });

  it('a close leaves open requests to the next client, if told so', async () => {
    const { client, brokers, request } = setUpReady();
    const asked = request();
    await client.close({ leaves: true });
    await expect(asked.result).rejects.toThrow('the client was closed; what it asked for may go on');
    expect(brokers.all('cancel')).toEqual([]);
    expect(brokers.all('disconnect')).toHaveLength(1);
  });
});
