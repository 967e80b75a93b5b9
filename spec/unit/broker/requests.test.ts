import { beforeEach, describe, expect, it } from 'vitest';
import { BrokerStage } from '../../support/broker-stage.ts';

describe('requests at the broker', () => {
  let stage: BrokerStage;
  beforeEach(() => {
    stage = new BrokerStage();
    stage.registry.service('team1', 'demo', ['w1', 'w2', 'w3']);
    stage.client('c');
  });

  describe('roundrobin', () => {
    it('roundrobin takes the workers in turn, and the others where one has no slot', async () => {
      for (const worker of ['w1', 'w2', 'w3']) await stage.worker(worker);
      const ids = ['a', 'b', 'c'].map(() => stage.ask('c', 'demo'));
      expect(stage.to('c', 'dispatched').map(({ worker }) => worker)).toEqual(['w1', 'w2', 'w3']);
      stage.finish('w2', ids[1] as string);
      stage.ask('c', 'demo');
      expect(stage.to('c', 'dispatched').at(-1)?.['worker']).toBe('w2');
    });

    it('roundrobin begins again with the first worker when a deleted service’s name is reused', async () => {
      await stage.worker('w1', { free: 9 });
      await stage.worker('w2', { free: 9 });
      const workerOf = (): unknown => {
        stage.ask('c', 'demo');
        return stage.to('c', 'dispatched').at(-1)?.['worker'];
      };
      expect(workerOf()).toBe('w1');
      stage.registry.changed();
      stage.pass(100);
      expect(workerOf()).toBe('w2');
      expect(workerOf()).toBe('w1');
      stage.registry.services.delete('team1/demo');
      stage.registry.changed();
      stage.pass(100);
      stage.registry.service('team1', 'demo', ['w1', 'w2']);
      stage.registry.changed();
      stage.pass(100);
      for (const worker of ['w1', 'w2']) stage.say(worker, { op: 'announce', services: [worker, 'demo'] });
      expect(workerOf()).toBe('w1');
    });

    it('roundrobin lets requests wait for a slot, first come first served, and none overtakes', async () => {
      await stage.worker('w1');
      const ids = Array.from({ length: 5 }, () => stage.ask('c', 'demo'));
      for (const id of ids) stage.finish('w1', id);
      expect(stage.to('w1', 'request').map(({ id }) => id)).toEqual(ids);
      expect(stage.broker.state).toMatchObject({ requests: 0, queued: 0 });
    });

    it('roundrobin never sends more requests than a worker has slots, however many results arrive at once', async () => {
      await stage.worker('w1', { free: 2 });
      const ids = Array.from({ length: 6 }, () => stage.ask('c', 'demo'));
      // Both say what was true when they were sent: two slots, of which the broker has filled one by then.
      stage.finish('w1', ids[0] as string, { free: 1, seen: 2 });
      stage.finish('w1', ids[1] as string, { free: 2, seen: 2 });
      expect(stage.to('w1', 'request')).toHaveLength(4);
    });

    it.each(['heartbeat', 'credit'] as const)(
      'roundrobin sends no more requests than slots when a %s reports the free slots of before',
      async (op) => {
        await stage.worker('w1', { free: 2 });
        for (let count = 0; count < 6; count++) stage.ask('c', 'demo');
        stage.say('w1', { op, free: 2, seen: 0 });
        expect(stage.to('w1', 'request')).toHaveLength(2);
        stage.say('w1', { op, free: 2, seen: 1 });
        expect(stage.to('w1', 'request')).toHaveLength(3);
      },
    );

    it('roundrobin gives a returned request to the next worker, before later requests', async () => {
      await stage.worker('w1');
      await stage.worker('w2', { free: 0 });
      const first = stage.ask('c', 'demo');
      const second = stage.ask('c', 'demo');
      stage.say('w1', { op: 'returned', id: first, free: 0 });
      stage.say('w2', { op: 'credit', free: 2, seen: 0 });
      expect(stage.to('w2', 'request').map(({ id }) => id)).toEqual([first, second]);
      expect(stage.to('c', 'leg')).toEqual([]);
    });

    it('roundrobin continues after the loss of a worker only where the service says retry = always', async () => {
      stage.registry.service('team1', 'again', ['w1', 'w2'], { retry: 'always' });
      await stage.worker('w1', { free: 2 });
      await stage.worker('w2', { free: 0 });
      const once = stage.ask('c', 'demo');
      const again = stage.ask('c', 'again');
      stage.say('w2', { op: 'credit', free: 4, seen: 0 });
      stage.say('w1', { op: 'disconnect' });
      expect(stage.to('c', 'final')).toMatchObject([{ id: once, result: 'lost', code: 'worker-lost' }]);
      expect(stage.to('w2', 'request').map(({ id }) => id)).toEqual([again]);
      stage.finish('w2', again);
      expect(stage.to('c', 'final').at(-1)).toMatchObject({ id: again, result: 'succeeded' });
      expect(stage.records.at(-1)?.legs.map(({ worker, result }) => [worker, result])).toEqual([
        ['w1', 'lost'],
        ['w2', 'succeeded'],
      ]);
    });
  });

  describe('without a worker', () => {
    it.each(['roundrobin', 'serial', 'mirror'] as const)(
      'a service without a worker refuses %s immediately',
      (algorithm) => {
        stage.registry.service('team1', 'nobody', ['w9'], { algorithm });
        const id = stage.ask('c', 'nobody');
        expect(stage.to('c').at(-1)).toMatchObject({ op: 'refused', id, code: 'no-worker' });
        expect(stage.broker.state.requests).toBe(0);
      },
    );

    it('a waiting request ends when the last worker leaves', async () => {
      await stage.worker('w1', { free: 0 });
      const id = stage.ask('c', 'demo');
      expect(stage.to('c', 'final')).toEqual([]);
      stage.say('w1', { op: 'leaving' });
      expect(stage.to('c', 'final')).toMatchObject([{ id, result: 'lost', code: 'no-worker' }]);
    });
  });

  describe('serial', () => {
    beforeEach(async () => {
      stage.registry.service('team1', 'row', ['w2', 'w1', 'w3'], { algorithm: 'serial' });
      await stage.worker('w1');
      await stage.worker('w2');
    });

    it('serial goes to one worker after the other in the order of attachment, continues after a failure, and names the absent', () => {
      const id = stage.ask('c', 'row');
      expect(stage.to('w1', 'request')).toEqual([]);
      stage.finish('w2', id, { result: 'failed', exit_code: 3, ran_ms: 5 });
      stage.finish('w1', id, { ran_ms: 7, output_bytes: 2 });
      const ops = ['accepted', 'dispatched', 'leg', 'dispatched', 'leg', 'leg', 'final'];
      expect(stage.ops('c').slice(1)).toEqual(ops);
      expect(stage.to('c', 'final')).toMatchObject([{ result: 'failed', exit_code: 3, ran_ms: 12, output_bytes: 2 }]);
      expect(stage.records[0]?.legs).toMatchObject([
        { worker: 'w2', result: 'failed' },
        { worker: 'w1', result: 'succeeded' },
        { worker: 'w3', result: 'lost', reason: 'no worker is connected' },
      ]);
    });

    it('serial stops at its current worker when it is cancelled', () => {
      const id = stage.ask('c', 'row');
      stage.say('c', { op: 'cancel', jwt: 'jwt:user1@team1', id });
      expect(stage.to('w2', 'cancel')).toMatchObject([{ id, reason: 'cancelled by user1@team1' }]);
      stage.finish('w2', id, { result: 'killed', exit_code: null, signal: 'SIGTERM' });
      expect(stage.to('w1', 'request')).toEqual([]);
      expect(stage.to('c', 'final')).toMatchObject([{ result: 'killed' }]);
    });

    it('serial begins at no worker once its time has ended', () => {
      const id = stage.ask('c', 'row', { timeout_ms: 1_000 });
      stage.pass(2_000, ['w1', 'w2', 'c']);
      stage.finish('w2', id, { result: 'timed-out', exit_code: null });
      expect(stage.to('w1', 'request')).toEqual([]);
      expect(stage.to('c', 'final')).toMatchObject([{ result: 'timed-out' }]);
    });
  });

  describe('mirror', () => {
    it('mirror goes to all workers at once; the first failure in the order of the workers counts', async () => {
      stage.registry.service('team1', 'all', ['w1', 'w2', 'w3', 'w4'], { algorithm: 'mirror' });
      for (const worker of ['w1', 'w2', 'w3']) await stage.worker(worker);
      const id = stage.ask('c', 'all');
      expect(['w1', 'w2', 'w3'].map((worker) => stage.to(worker, 'request').length)).toEqual([1, 1, 1]);
      stage.finish('w3', id, { result: 'failed', exit_code: 5 });
      stage.finish('w2', id, { result: 'failed', exit_code: 4 });
      expect(stage.to('c', 'final')).toEqual([]);
      stage.finish('w1', id);
      expect(stage.to('c', 'final')).toMatchObject([{ result: 'failed', exit_code: 4 }]);
      expect(stage.records[0]?.legs.map(({ worker, result }) => `${worker} ${result}`)).toEqual([
        'w1 succeeded',
        'w2 failed',
        'w3 failed',
        'w4 lost',
      ]);
    });
  });

  it('a worker’s name is a service of its own, without an algorithm', async () => {
    await stage.worker('w1');
    const id = stage.ask('c', 'w1');
    expect(stage.to('c', 'accepted')).toMatchObject([{ id, algorithm: null }]);
    expect(stage.to('w1', 'request')).toMatchObject([{ id, service: 'w1' }]);
  });

  describe('time', () => {
    it('the time of a request is its own, otherwise the service’s, otherwise the broker’s, less the time that it has waited', async () => {
      stage.registry.service('team1', 'quick', ['w1'], { timeoutMs: 7_000 });
      await stage.worker('w1', { free: 0 });
      stage.ask('c', 'quick', { timeout_ms: 3_000 });
      stage.ask('c', 'quick');
      stage.ask('c', 'demo');
      stage.pass(1_000, ['w1', 'c']);
      stage.say('w1', { op: 'credit', free: 9, seen: 0 });
      expect(stage.to('w1', 'request').map((each) => each['timeout_ms'])).toEqual([2_000, 6_000, 299_000]);
    });

    it('a request that times out while it waits ends; while it runs, its worker has the time to say so', async () => {
      await stage.worker('w1', { free: 1 });
      const runs = stage.ask('c', 'demo', { timeout_ms: 1_000 });
      const waits = stage.ask('c', 'demo', { timeout_ms: 1_000 });
      stage.pass(1_100, ['w1', 'c']);
      expect(stage.to('c', 'final')).toMatchObject([{ id: waits, result: 'timed-out' }]);
      stage.pass(16_000, ['w1', 'c']);
      expect(stage.to('c', 'final').at(-1)).toMatchObject({
        id: runs,
        result: 'timed-out',
        reason: expect.stringContaining('has not said'),
      });
      stage.finish('w1', runs);
      expect(stage.to('c', 'final')).toHaveLength(2);
    });
  });

  describe('limits', () => {
    it('a full service, a busy user and a large payload are refused, each with its code', async () => {
      stage = new BrokerStage({ maxQueued: 2, maxRequests: 4, maxMessage: 10 });
      stage.registry.service('team1', 'demo', ['w1']).worker('team1', 'w2');
      stage.client('c');
      await stage.worker('w1');
      for (let count = 0; count < 3; count++) stage.ask('c', 'demo', {}, 'small');
      stage.ask('c', 'demo', {}, 'small');
      expect(stage.to('c').at(-1)).toMatchObject({ op: 'refused', code: 'broker-busy', retry_after_ms: 1_000 });
      await stage.worker('w2', { free: 9 });
      stage.ask('c', 'w2', {}, 'small');
      stage.ask('c', 'w2', {}, 'small');
      expect(stage.to('c').at(-1)).toMatchObject({
        code: 'broker-busy',
        message: expect.stringContaining('of user1@team1'),
      });
      stage.ask('c', 'w2', { jwt: 'jwt:user2@team1' }, 'larger than that');
      expect(stage.to('c').at(-1)).toMatchObject({ code: 'request-too-large' });
      expect(stage.broker.state.requests).toBe(4);
    });

    it('no user holds so much of the broker that no space is left for others', async () => {
      const large = 'x'.repeat(67_108_864 - 512);
      stage = new BrokerStage({ maxMessage: large.length });
      stage.client('c');
      await stage.worker('w1', { free: 0 });
      for (let count = 0; count < 3; count++) stage.ask('c', 'w1', {}, large);
      expect(stage.to('c', 'refused')).toMatchObject([
        { code: 'broker-busy', message: `payloads of ${2 * 67_108_864} bytes of user1@team1 are held` },
      ]);
      stage.ask('c', 'w1', { jwt: 'jwt:user2@team1' }, large);
      expect(stage.broker.state.requests).toBe(3);
    });

    it('all users with one creator together hold no more than one user, and those of a team at most half of it all', async () => {
      const large = 'x'.repeat(67_108_864 - 512);
      stage = new BrokerStage({ maxMessage: large.length });
      stage.client('c');
      await stage.worker('w1', { free: 0 });
      const ask = (user: string) => {
        stage.clear();
        stage.ask('c', 'w1', { jwt: `jwt:${user}@team1` }, large);
        return stage.to('c', 'refused')[0]?.['message'];
      };
      for (const user of ['mallory', 'm1', 'm2']) stage.registry.origins.set(user, { user: 7, team: 1 });
      for (const user of ['bob', 'cid']) stage.registry.origins.set(user, { user: 8, team: 1 });
      expect([ask('mallory'), ask('m1')]).toEqual([undefined, undefined]);
      const share = 2 * 67_108_864;
      expect(ask('m2')).toBe(`payloads of ${share} bytes of m2 and the users who come from the same one are held`);
      expect([ask('bob'), ask('bob')]).toEqual([undefined, undefined]);
      for (const user of ['m2', 'cid']) stage.registry.origins.set(user, { user: 9, team: 1 });
      expect(ask('cid')).toBe(
        `payloads of ${2 * share} bytes of cid and the users who come from the same team are held`,
      );
      // Others have room still, and what has ended makes room.
      stage.registry.origins.set('eve', { user: 10, team: 2 });
      expect(ask('eve')).toBeUndefined();
      stage.broker.openRequests.cancel({ kind: 'local', team: null, by: 'root@here' }, { user: 'bob' });
      expect(ask('cid')).toBeUndefined();
    });

    it('arguments count like payloads against the limits', async () => {
      stage = new BrokerStage();
      stage.client('c');
      await stage.worker('w1', { free: 0 });
      const args = { text: 'x'.repeat(200_000) };
      for (let count = 0; count < 400; count++) stage.ask('c', 'w1', { args }, '');
      expect(stage.broker.state.requests).toBe(Math.floor(134_217_728 / (2 * (200_000 + 4) + 512)));
      expect(stage.to('c').at(-1)).toMatchObject({ code: 'broker-busy' });
    });

    it('requests of one user, of users with one creator, and of one team each have a maximum number', async () => {
      stage = new BrokerStage({ maxRequests: 2 });
      stage.client('c');
      await stage.worker('w1', { free: 0 });
      const ask = (user: string, origin: number) => {
        stage.registry.origins.set(user, { user: origin, team: 1 });
        stage.clear();
        stage.ask('c', 'w1', { jwt: `jwt:${user}@team1` });
        return stage.to('c', 'refused').length === 0;
      };
      expect([ask('a', 1), ask('b', 1), ask('c', 1)]).toEqual([true, true, false]);
      expect([2, 2, 3, 3, 4, 4, 5, 5].map((origin, n) => ask(`d${n}`, origin))).toEqual([
        ...Array.from({ length: 6 }, () => true),
        false,
        false,
      ]);
    });

    it('a request has no more time than the broker allows, whatever client and service say', async () => {
      stage = new BrokerStage({ maxTimeoutMs: 60_000, timeoutMs: 5_000 });
      stage.registry.service('team1', 'year', ['w1'], { timeoutMs: 31_536_000_000 });
      await stage.worker('w1', { free: 9 });
      stage.client('c');
      stage.ask('c', 'w1', { timeout_ms: 31_536_000_000 });
      stage.ask('c', 'year');
      stage.ask('c', 'w1', { timeout_ms: 59_000 });
      stage.ask('c', 'w1');
      expect(stage.to('w1', 'request').map(({ timeout_ms }) => timeout_ms)).toEqual([60_000, 60_000, 59_000, 5_000]);
      expect(stage.to('c', 'refused')).toEqual([]);
    });

    it('a chain with too many hops is refused with its whole way', async () => {
      await stage.worker('w1');
      stage.ask('c', 'demo', { ttl: -1, chain: ['a', 'b'] });
      expect(stage.to('c').at(-1)).toMatchObject({ code: 'request-invalid', message: 'hop limit reached: a → b' });
      stage.ask('c', 'demo', { ttl: 1_000_000 });
      expect(stage.to('w1', 'request')).toMatchObject([{ ttl: 8 }]);
    });

    it.each(['../x', '/bin/sh', 'a/../b', 'a//b', 'a;b', 'a b'])(
      'a request for the plugin %s is refused',
      async (plugin) => {
        await stage.worker('w1');
        stage.ask('c', 'demo', { plugin });
        expect(stage.to('c').at(-1)).toMatchObject({ code: 'plugin-name-invalid' });
      },
    );
  });

  describe('somebody else', () => {
    it('another user with the same request ID gets nothing, and can cancel nothing', async () => {
      await stage.worker('w1');
      const id = stage.ask('c', 'demo');
      stage.client('d');
      stage.ask('d', 'demo', { id, resume: true, jwt: 'jwt:user2@team1' });
      expect(stage.to('d').at(-1)).toMatchObject({ op: 'refused', id, code: 'request-invalid' });
      stage.say('d', { op: 'cancel', id, jwt: 'jwt:user2@team1' });
      expect(stage.to('d').at(-1)).toMatchObject({ op: 'refused', id, code: 'request-not-found' });
      stage.say('d', { op: 'ack', id, worker: 'w1', bytes: 5 });
      stage.say('w1', { op: 'partial', id, stream: 'out', offset: 0 }, 'secret');
      expect(stage.to('d', 'partial')).toEqual([]);
      expect(stage.to('w1', 'ack')).toEqual([]);
      expect(stage.to('c', 'partial')).toMatchObject([{ body: 'secret' }]);
    });

    it('a service that is not visible looks like one that does not exist', () => {
      stage.ask('c', 'team2/hidden');
      const [refused] = stage.to('c', 'refused');
      expect(refused).toMatchObject({ code: 'service-not-found' });
    });

    it('a void token is refused in every message, also in the middle of a connection', async () => {
      await stage.worker('w1');
      stage.registry.refusedUsers.add('user1');
      const id = stage.ask('c', 'demo');
      expect(stage.to('c').at(-1)).toMatchObject({ op: 'refused', id, code: 'token-invalid' });
      expect(stage.to('w1', 'request')).toEqual([]);
    });
  });
});
