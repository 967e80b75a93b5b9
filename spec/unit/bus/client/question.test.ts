import { describe, expect, it } from 'vitest';
import { brokerA, brokerB } from './fake-broker.ts';
import { setUp, setUpReady } from './set-up.ts';

const both = { brokers: [brokerA, brokerB] };
const list = { verb: 'worker.list', team: 'team1' };
const add = { verb: 'worker.add', team: 'team1', identity: 'demo01' };

describe('a question to the registry', () => {
  it('a statement to the registry gets its answer', async () => {
    const { client, brokers } = setUp();
    const answer = client.ask(list);
    brokers.letIn();
    const { n, jwt, statement } = brokers.heard('registry');
    expect([jwt, statement]).toEqual(['jwt-1', list]);
    brokers.last.say({ op: 'answer', n }, '{"kind":"worker"}');
    expect(await answer).toEqual({ kind: 'worker' });
  });

  it('a statement to the registry is refused with a code', async () => {
    const { client, brokers } = setUpReady();
    const answer = client.ask(add);
    const { n } = brokers.heard('registry');
    brokers.last.say({ op: 'refused', n, code: 'registry-exists', message: 'demo01', retry_after_ms: null });
    await expect(answer).rejects.toMatchObject({ code: 'registry-exists' });
  });

  it('a statement that only reads is sent to the next broker when the first one is lost', async () => {
    const { client, brokers } = setUpReady(both);
    const answer = client.ask(list);
    brokers.last.down('gone');
    brokers.welcome();
    brokers.last.say({ op: 'answer', n: brokers.heard('registry').n }, '[]');
    expect(await answer).toEqual([]);
  });

  it('a statement that changes something is not repeated, because it may have been done', async () => {
    const { client, brokers } = setUpReady(both);
    const answer = client.ask(add);
    brokers.last.down('gone');
    await expect(answer).rejects.toMatchObject({
      code: 'broker-unreachable',
      message: expect.stringContaining('a change may have been made'),
    });
    brokers.welcome();
    expect(brokers.all('registry')).toEqual([]);
  });

  it('a statement that was never sent fails when no broker answers', async () => {
    const { client, brokers } = setUp();
    const answer = client.ask(add);
    brokers.last.down('connection refused');
    await expect(answer).rejects.toThrow('connection refused');
  });

  it('a statement is sent again with a new token, once', async () => {
    const { client, brokers } = setUpReady();
    const answer = client.ask(add);
    const refuse = (): void =>
      brokers.last.say({
        op: 'refused',
        n: brokers.heard('registry').n,
        code: 'token-invalid',
        message: 'old',
        retry_after_ms: null,
      });
    refuse();
    brokers.last.say({ op: 'token', n: brokers.heard('login').n, expires_ms: 900_000 }, 'jwt-2');
    expect(brokers.heard('registry').jwt).toBe('jwt-2');
    refuse();
    await expect(answer).rejects.toMatchObject({ code: 'token-invalid' });
  });

  it('a statement waits half a minute for its answer', async () => {
    const { client, brokers, clock } = setUpReady();
    const answer = client.ask(add);
    for (let second = 0; second < 30; second++) {
      brokers.last.say({ op: 'heartbeat' });
      clock.pass(1_000);
    }
    await expect(answer).rejects.toMatchObject({ code: 'broker-unreachable' });
  });

  it('a statement whose answer is not JSON fails', async () => {
    const { client, brokers } = setUpReady();
    const answer = client.ask(list);
    brokers.last.say({ op: 'answer', n: brokers.heard('registry').n }, '{');
    await expect(answer).rejects.toMatchObject({ code: 'bus-protocol' });
  });
});
