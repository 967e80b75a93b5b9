import { beforeEach, describe, expect, it } from 'vitest';
import { BrokerStage, settled } from '../../support/broker-stage.ts';
import { until } from '../../support/wait.ts';

const ready = (identity: string, instance: string) =>
  ({ op: 'ready', v: 1, team: 'team1', identity, instance, node: 'node1', version: '1', free: 1 }) as const;

describe('peers of the broker', () => {
  let stage: BrokerStage;
  beforeEach(() => {
    stage = new BrokerStage();
    stage.registry.worker('team1', 'w1').service('team1', 'demo', ['w1']);
  });

  describe('a connection that guesses', () => {
    const guess = async (peer: string, token = 'wrong', identity = 'w1') => {
      stage.clear();
      stage.say(peer, ready(identity, 'a'), token);
      await settled();
      return stage.to(peer).map(({ op, code }) => code ?? op);
    };
    const login = async (peer: string, secret: string, identity = 'user1') => {
      stage.clear();
      stage.say(peer, { op: 'login', n: 1, team: 'team1', identity }, secret);
      await settled();
      return stage.to(peer).map(({ op, code }) => code ?? op);
    };

    it('a connection that guesses tokens of workers waits longer and longer, and no other connection does', async () => {
      stage.now += 0.123;
      for (let tries = 0; tries < 3; tries++) expect(await guess('eve')).toEqual(['worker-refused']);
      stage.now += 0.3;
      expect(await guess('eve', 'token')).toEqual(['too-many-attempts']);
      expect(stage.to('eve')).toMatchObject([{ retry_after_ms: 1_000 }]);
      expect(await guess('w1', 'token')).toEqual(['welcome']);
      stage.now += 1_000;
      expect(await guess('eve', 'wrong', 'w2')).toEqual(['worker-refused']);
      stage.now += 1_000;
      expect(await guess('eve')).toEqual(['too-many-attempts']);
    });

    it('a connection that guesses is admitted with the right token once it has waited', async () => {
      for (let tries = 0; tries < 3; tries++) await guess('w1');
      stage.now += 1_000;
      expect(await guess('w1', 'token')).toEqual(['welcome']);
      expect(stage.broker.state).toMatchObject({ peers: 1, workers: 1 });
    });

    it('a connection that guesses passwords of one identity after the other waits, also after another hello', async () => {
      stage.client('eve');
      for (const identity of ['a', 'b', 'c']) expect(await login('eve', 'wrong', identity)).toEqual(['login-failed']);
      expect(await login('eve', 'secret')).toEqual(['too-many-attempts']);
      stage.client('eve');
      expect(await login('eve', 'secret')).toEqual(['too-many-attempts']);
      stage.client('other');
      expect(await login('other', 'secret')).toEqual(['token']);
    });

    it('a connection that guesses gains nothing by many guesses at once', async () => {
      stage.client('eve');
      stage.clear();
      for (let n = 0; n < 60; n++)
        stage.say('eve', { op: 'login', n, team: 'team1', identity: `user${n}` }, n === 50 ? 'secret' : 'wrong');
      await until(() => stage.to('eve').length === 60, 'the answers');
      expect(stage.to('eve').filter(({ code }) => code === 'login-failed')).toHaveLength(3);
      expect(stage.to('eve', 'token')).toEqual([]);
    });

    it('a connection that guesses is forgotten not when it was refused, but when it has been silent', async () => {
      await guess('eve');
      expect(stage.broker.state.peers).toBe(1);
      stage.pass(10_100);
      expect(stage.broker.state.peers).toBe(0);
    });

    it('a connection that guesses writes one line of the log a minute, and ten thousand of them write few', async () => {
      for (let tries = 0; tries < 50; tries++) await guess('eve');
      const lines = () => stage.log.at('warn').filter(({ message }) => message === 'A worker was refused.');
      expect(lines()).toHaveLength(1);
      for (let number = 0; number < 10_000; number++) {
        stage.say(`peer${number}`, ready('w1', 'a'), 'wrong');
        if (number % 100 === 0) await settled();
      }
      await settled();
      expect(lines()).toHaveLength(20);
      stage.now += 60_000;
      stage.broker.tick();
      expect(lines().slice(20)).toMatchObject([{ fields: { suppressed: 49 } }, { fields: { suppressed: 9_981 } }]);
    });

    it('a connection that sends nonsense writes one line of the log a minute, however often it says hello', () => {
      for (let round = 0; round < 20; round++) {
        stage.client('eve');
        for (let count = 0; count < 16; count++) stage.raw('eve', 'nonsense');
      }
      expect(stage.log.at('warn')).toHaveLength(1);
    });
  });

  describe('a worker', () => {
    it('a worker is welcomed with its attachments, and gets no request before it has announced them', async () => {
      stage.client('c');
      stage.say('w1', ready('w1', 'a'), 'token');
      await settled();
      expect(stage.to('w1')).toMatchObject([
        { op: 'welcome', broker: 'broker-1', services: ['demo'], heartbeat_ms: 2_500 },
      ]);
      expect(stage.online).toEqual(new Set(['team1/w1']));
      const ids = [stage.ask('c', 'demo'), stage.ask('c', 'w1')];
      expect(stage.to('c', 'refused')).toEqual([]);
      expect(stage.to('w1', 'request')).toEqual([]);
      stage.say('w1', { op: 'announce', services: ['w1', 'demo'] });
      stage.say('w1', { op: 'credit', free: 1, seen: 1 });
      expect(stage.to('w1', 'request').map(({ id }) => id)).toEqual(ids);
    });

    it.each(['serial', 'mirror'] as const)(
      'a worker that has not announced its attachments yet has its leg of a %s request',
      async (algorithm) => {
        stage.registry.service('team1', 'both', ['w1', 'w2'], { algorithm });
        stage.client('c');
        stage.say('w1', ready('w1', 'a'), 'token');
        await settled();
        const id = stage.ask('c', 'both');
        expect(stage.to('w1', 'request')).toEqual([]);
        stage.say('w1', { op: 'announce', services: ['w1', 'both'] });
        stage.finish('w1', id);
        expect(stage.to('c', 'leg').map(({ worker, result }) => [worker, result])).toContainEqual(['w1', 'succeeded']);
      },
    );

    it.each([
      ['announces less than it is attached to', { op: 'announce', services: ['w1'] }],
      ['leaves', { op: 'leaving' }],
      ['says goodbye', { op: 'disconnect' }],
    ] as const)('a worker that %s ends the requests that have waited for it', async (_, message) => {
      stage.client('c');
      stage.say('w1', ready('w1', 'a'), 'token');
      await settled();
      const id = stage.ask('c', 'demo');
      stage.say('w1', message);
      expect(stage.to('c', 'final')).toMatchObject([{ id, result: 'lost', code: 'no-worker' }]);
      stage.ask('c', 'demo');
      expect(stage.to('c').at(-1)).toMatchObject({ op: 'refused', code: 'no-worker' });
    });

    it('a worker that is attached to a service gets requests from before it learnt of the attachment', async () => {
      await stage.worker('w1');
      stage.client('c');
      stage.registry.service('team1', 'new', ['w1']);
      stage.registry.changed();
      const id = stage.ask('c', 'new');
      stage.broker.tick();
      expect(stage.to('w1', 'request')).toEqual([]);
      stage.say('w1', { op: 'announce', services: ['w1', 'demo', 'new'] });
      expect(stage.to('w1', 'request')).toMatchObject([{ id }]);
    });

    it('a worker that is detached before it has announced ends the requests that have waited for it', async () => {
      await stage.worker('w1');
      stage.client('c');
      const change = (workers: string[]): void => {
        stage.registry.service('team1', 'new', workers);
        stage.registry.changed();
      };
      change(['w1']);
      const id = stage.ask('c', 'new');
      stage.broker.tick();
      change([]);
      stage.broker.tick();
      expect(stage.to('c', 'final')).toMatchObject([{ id, result: 'lost', code: 'no-worker' }]);
    });

    it('a worker with a wrong token is refused, and so are all its messages', async () => {
      stage.client('c');
      stage.say('w1', ready('w1', 'a'), 'no token');
      stage.say('w1', { op: 'announce', services: ['w1', 'demo'] });
      await settled();
      expect(stage.to('w1')).toMatchObject([{ op: 'refused', code: 'worker-refused' }]);
      stage.say('w1', { op: 'announce', services: ['w1', 'demo'] });
      expect(stage.to('w1').at(-1)).toMatchObject({ op: 'reannounce' });
      stage.ask('c', 'demo');
      expect(stage.to('c').at(-1)).toMatchObject({ code: 'no-worker' });
    });

    it('a worker that announces a service to which it is not attached gets none of its requests, and the log says so', async () => {
      stage.registry.worker('team1', 'liar').worker('team1', 'w2').service('team1', 'other', ['w2']);
      stage.client('c');
      await stage.worker('liar');
      stage.say('liar', { op: 'announce', services: ['liar', 'demo', 'other', 'w1', '../x'] });
      for (const service of ['demo', 'other', 'w1']) stage.ask('c', service);
      expect(stage.to('c', 'refused').map(({ code }) => code)).toEqual(['no-worker', 'no-worker', 'no-worker']);
      stage.ask('c', 'liar');
      expect(stage.to('liar', 'request')).toHaveLength(1);
      expect(stage.log.at('warn')).toMatchObject([
        { fields: { worker: 'liar', services: ['demo', 'other', 'w1', '../x'] } },
      ]);
    });

    it('a worker of another process with the same identity is refused while the first one lives', async () => {
      stage.client('c');
      await stage.worker('w1', { instance: 'a' });
      const id = stage.ask('c', 'demo');
      stage.say('x', ready('w1', 'b'), 'token');
      await settled();
      expect(stage.sent.at(-1)).toMatchObject({ to: 'w1', op: 'heartbeat' });
      stage.pass(600, ['w1', 'c']);
      expect(stage.to('x')).toMatchObject([{ op: 'refused', code: 'worker-refused' }]);
      expect(stage.log.at('warn')).toMatchObject([{ fields: { team: 'team1', worker: 'w1' } }]);
      stage.finish('w1', id);
      expect(stage.to('c', 'final')).toMatchObject([{ id, result: 'succeeded' }]);
    });

    it('a worker of another process is admitted when the first one’s connection turns out to be broken', async () => {
      stage.client('c');
      await stage.worker('w1', { instance: 'a' });
      const id = stage.ask('c', 'demo');
      stage.say('x', ready('w1', 'b'), 'token');
      await settled();
      stage.broker.gone('w1', 'disconnected');
      expect(stage.ops('x')).toEqual(['welcome']);
      expect(stage.to('c', 'final')).toMatchObject([{ id, result: 'lost', code: 'worker-lost' }]);
      expect(stage.online).toEqual(new Set(['team1/w1']));
    });

    it('a worker that returns continues: its requests are asked for, and their output passed on from its position', async () => {
      stage.client('c');
      await stage.worker('w1', { instance: 'a', free: 2 });
      const [has, hasNot] = [stage.ask('c', 'demo'), stage.ask('c', 'demo')];
      stage.say('w1', { op: 'partial', id: has, stream: 'out', offset: 0 }, 'hello ');
      stage.broker.gone('w1', 'disconnected');
      stage.pass(3_000, ['c']);
      expect(stage.to('c', 'final')).toEqual([]);
      await stage.worker('w1', { peer: 'w1 again', instance: 'a', free: 1 });
      expect(stage.to('w1 again', 'query').map(({ id, user, team }) => [id, user, team])).toEqual([
        [has, 'user1', 'team1'],
        [hasNot, 'user1', 'team1'],
      ]);
      stage.say('w1 again', { op: 'known', id: has, known: true });
      stage.say('w1 again', { op: 'known', id: hasNot, known: false });
      expect(stage.to('w1 again', 'request').map(({ id }) => id)).toEqual([hasNot]);
      stage.say('w1 again', { op: 'partial', id: has, stream: 'out', offset: 0 }, 'hello world');
      expect(stage.to('c', 'partial').map(({ offset, body }) => [offset, body])).toEqual([
        [0, 'hello '],
        [6, 'world'],
      ]);
      stage.finish('w1 again', has);
      expect(stage.to('c', 'final')).toMatchObject([{ id: has, result: 'succeeded' }]);
      expect(stage.observer.lines.filter((line) => line.startsWith('o'))).toEqual(['online team1/w1']);
    });

    it.each(['present', 'leaving'])(
      'a worker that was %s: its last messages count, though its connection is closed',
      async (was) => {
        stage.client('c');
        await stage.worker('w1');
        const id = stage.ask('c', 'demo');
        if (was === 'leaving') stage.say('w1', { op: 'leaving' });
        stage.broker.gone('w1', 'disconnected');
        expect(stage.to('c', 'final')).toEqual([]);
        stage.finish('w1', id);
        stage.say('w1', { op: 'disconnect' });
        expect(stage.to('c', 'final')).toMatchObject([{ id, result: 'succeeded' }]);
        expect(stage.broker.state).toMatchObject({ workers: 0, peers: 1 });
      },
    );

    it('a worker killed while it was leaving does not keep its next process out', async () => {
      stage.client('c');
      await stage.worker('w1', { instance: 'a' });
      const id = stage.ask('c', 'demo');
      stage.say('w1', { op: 'leaving' });
      stage.say('x', ready('w1', 'b'), 'token');
      await settled();
      stage.broker.gone('w1', 'disconnected');
      expect(stage.ops('x')).toEqual(['welcome']);
      expect(stage.to('c', 'final')).toMatchObject([{ id, result: 'lost', code: 'worker-lost' }]);
    });

    it('a worker that is silent for four heartbeats is lost; a later message only makes it announce itself', async () => {
      stage.client('c');
      await stage.worker('w1');
      const id = stage.ask('c', 'demo');
      stage.pass(9_900, ['c']);
      expect(stage.to('c', 'final')).toEqual([]);
      stage.pass(200, ['c']);
      expect(stage.to('c', 'final')).toMatchObject([{ id, result: 'lost', code: 'worker-lost' }]);
      expect(stage.online.size).toBe(0);
      stage.clear();
      stage.say('w1', { op: 'partial', id, stream: 'out', offset: 0 }, 'late');
      stage.finish('w1', id);
      expect(stage.sent).toMatchObject([{ to: 'w1', op: 'reannounce' }]);
    });

    it('a worker does not count as silent when the broker itself stood still', async () => {
      stage.client('c');
      await stage.worker('w1');
      stage.now += 60_000;
      stage.broker.tick();
      expect(stage.broker.state).toMatchObject({ peers: 2, workers: 1 });
      expect(stage.online.size).toBe(1);
    });

    it('a worker whose token was replaced is told and disconnected, and its requests are lost', async () => {
      stage.client('c');
      await stage.worker('w1');
      const id = stage.ask('c', 'demo');
      stage.registry.workers.set('team1/w1', 2);
      stage.registry.changed();
      stage.broker.tick();
      expect(stage.to('w1').at(-1)).toMatchObject({ op: 'refused', code: 'worker-refused' });
      expect(stage.to('c', 'final')).toMatchObject([{ id, result: 'lost' }]);
    });

    it('a worker whose token is replaced during its login is not admitted', async () => {
      await stage.worker('w1', { instance: 'a' });
      stage.say('x', ready('w1', 'b'), 'token');
      await settled();
      stage.registry.workers.set('team1/w1', 2);
      stage.broker.gone('w1', 'disconnected');
      expect(stage.to('x')).toMatchObject([{ op: 'refused', code: 'worker-refused' }]);
    });

    it('a worker that replaces another one gets the requests that wait for that one', async () => {
      await stage.worker('w1', { free: 0 });
      await stage.worker('w2');
      stage.client('c');
      const id = stage.ask('c', 'demo');
      stage.registry.service('team1', 'demo', ['w2']);
      stage.registry.changed();
      stage.broker.tick();
      expect(stage.to('c', 'final')).toEqual([]);
      stage.say('w2', { op: 'announce', services: ['w2', 'demo'] });
      expect(stage.to('w2', 'request')).toMatchObject([{ id }]);
    });

    it('a worker learns of every change of its services, and gets the requests that wait for a new one', async () => {
      await stage.worker('w1');
      stage.registry.service('team1', 'demo', []).service('team1', 'new', ['w1']);
      stage.registry.changed();
      stage.broker.tick();
      expect(stage.to('w1', 'services')).toMatchObject([{ services: ['new'] }]);
      stage.client('c');
      stage.ask('c', 'demo');
      expect(stage.to('c').at(-1)).toMatchObject({ code: 'no-worker' });
      stage.say('w1', { op: 'announce', services: ['w1', 'new'] });
      stage.ask('c', 'new');
      expect(stage.to('w1', 'request')).toHaveLength(1);
    });

    it.each([
      ['beyond the window', 0, 20],
      ['with a gap', 5, 1],
    ])('a worker that sends output %s is disconnected', async (_, offset, parts) => {
      stage.client('c');
      await stage.worker('w1');
      const id = stage.ask('c', 'demo');
      const size = 65_536;
      for (let part = 0; part < parts; part++)
        stage.say('w1', { op: 'partial', id, stream: 'out', offset: offset + part * size }, 'x'.repeat(size));
      expect(stage.to('w1', 'refused')).toMatchObject([{ code: 'bus-protocol' }]);
      expect(stage.to('c', 'final')).toMatchObject([{ id, result: 'lost' }]);
      expect(stage.to('c', 'partial').length).toBeLessThanOrEqual(16);
    });

    it('a worker of two identities on one connection is refused', async () => {
      stage.registry.worker('team1', 'w2');
      await stage.worker('w1');
      stage.say('w1', ready('w2', 'b'), 'token');
      await settled();
      expect(stage.ops('w1').at(-1)).toBe('refused');
      expect(stage.broker.state.workers).toBe(0);
    });
  });

  describe('a client', () => {
    it('a client that the broker does not know is told to say hello, once for many messages', () => {
      for (let count = 0; count < 5; count++) stage.say('c', { op: 'heartbeat' });
      expect(stage.ops('c')).toEqual(['reannounce']);
    });

    it('a client of another protocol version is told which one this broker speaks', () => {
      stage.say('c', { op: 'hello', v: 2 });
      expect(stage.to('c')).toMatchObject([{ op: 'refused', code: 'bus-protocol' }]);
      expect(stage.broker.state.peers).toBe(0);
    });

    it('a client logs in, and sends statements to the registry', async () => {
      stage.client('c');
      stage.say('c', { op: 'login', n: 1, team: 'team1', identity: 'user1' }, 'secret');
      stage.say('c', { op: 'login', n: 2, team: 'team1', identity: 'user1' }, 'wrong');
      stage.say('c', { op: 'registry', n: 3, jwt: 'jwt:user1@team1', statement: { verb: 'team.list' } });
      await settled();
      expect(stage.to('c', 'token')).toMatchObject([{ n: 1, expires_ms: 900_000, body: 'jwt:user1@team1' }]);
      expect(stage.to('c', 'refused')).toMatchObject([{ n: 2, code: 'login-failed' }]);
      const [answer] = stage.to('c', 'answer');
      expect(JSON.parse(answer?.body ?? '')).toMatchObject({
        caller: { identity: 'user1' },
        statement: { verb: 'team.list' },
      });
    });

    it('a client that leaves keeps its requests running, and their output is acknowledged for it', async () => {
      stage.client('c');
      await stage.worker('w1');
      const id = stage.ask('c', 'demo');
      stage.say('w1', { op: 'partial', id, stream: 'out', offset: 0 }, 'x'.repeat(1_000));
      stage.say('c', { op: 'disconnect' });
      expect(stage.to('w1', 'ack')).toMatchObject([{ id, bytes: 1_000 }]);
      let offset = 1_000;
      for (let part = 0; part < 100; part++, offset += 65_536)
        stage.say('w1', { op: 'partial', id, stream: 'out', offset }, 'x'.repeat(65_536));
      expect(stage.to('w1', 'refused')).toEqual([]);
      stage.finish('w1', id);
      expect(stage.records).toMatchObject([{ id, result: 'succeeded' }]);
    });

    describe('whose request is short', () => {
      beforeEach(async () => {
        stage.isSoonNow = false;
        stage.client('c');
        await stage.worker('w1');
      });
      const passSoon = () => {
        for (const act of stage.soon.splice(0)) act();
      };

      it('a client with a short request gets one message, with all that several would have said', () => {
        const id = stage.ask('c', 'demo');
        stage.finish('w1', id, { stream: 'out', output_bytes: 2 }, 'hi');
        passSoon();
        expect(stage.ops('c')).toEqual(['welcome', 'final']);
        expect(stage.to('c', 'final')).toMatchObject([
          { id, algorithm: 'roundrobin', worker: 'w1', stream: 'out', body: 'hi', output_bytes: 2 },
        ]);
        expect(stage.records).toMatchObject([{ id, legs: [{ worker: 'w1', output_tail: 'hi' }] }]);
      });

      it('a client learns which worker has its request before the output', () => {
        const id = stage.ask('c', 'demo');
        stage.say('w1', { op: 'partial', id, stream: 'out', offset: 0 }, 'hi');
        stage.finish('w1', id);
        passSoon();
        expect(stage.ops('c')).toEqual(['welcome', 'dispatched', 'partial', 'final']);
        expect(stage.to('c', 'dispatched')).toMatchObject([{ worker: 'w1', algorithm: 'roundrobin' }]);
        expect(stage.to('c', 'final')[0]).not.toHaveProperty('algorithm');
      });

      it('a client learns after a moment that its request waits, and then which worker has it', () => {
        stage.ask('c', 'demo');
        const second = stage.ask('c', 'demo');
        passSoon();
        expect(stage.ops('c')).toEqual(['welcome', 'dispatched', 'accepted']);
        expect(stage.to('c', 'accepted')).toMatchObject([{ id: second, algorithm: 'roundrobin' }]);
      });

      it('a client gets no output twice, where it arrives with the end and was partly sent before', async () => {
        const id = stage.ask('c', 'demo');
        stage.say('w1', { op: 'partial', id, stream: 'out', offset: 0 }, 'he');
        stage.say('w1', ready('w1', 'process of w1'), 'token');
        await settled();
        stage.say('w1', { op: 'known', id, known: true });
        stage.clear();
        stage.finish('w1', id, { stream: 'out', output_bytes: 5 }, 'hello');
        expect(stage.to('c')).toMatchObject([{ op: 'partial', offset: 2, body: 'llo' }, { op: 'final' }]);
      });

      it('a client loses a worker that sends with the end what it has sent before', () => {
        const id = stage.ask('c', 'demo');
        stage.say('w1', { op: 'partial', id, stream: 'out', offset: 0 }, 'he');
        stage.finish('w1', id, { stream: 'out', output_bytes: 2 }, 'he');
        expect(stage.to('w1', 'refused')).toMatchObject([{ code: 'bus-protocol' }]);
        expect(stage.to('c', 'final')).toMatchObject([{ result: 'lost' }]);
      });
    });

    it('a client that returns with the same ID gets all output again', async () => {
      stage.client('c');
      await stage.worker('w1');
      const id = stage.ask('c', 'demo');
      stage.say('w1', { op: 'partial', id, stream: 'out', offset: 0 }, 'hello ');
      stage.broker.gone('c', 'disconnected');
      stage.client('c2');
      stage.ask('c2', 'demo', { id, resume: true, worker: 'w1' });
      expect(stage.ops('c2')).toEqual(['welcome', 'accepted', 'dispatched']);
      expect(stage.to('w1', 'query')).toHaveLength(1);
      stage.say('w1', { op: 'known', id, known: true });
      stage.say('w1', { op: 'partial', id, stream: 'out', offset: 0 }, 'hello ');
      stage.finish('w1', id);
      expect(stage.ops('c2').slice(3)).toEqual(['partial', 'final']);
      expect(stage.to('w1', 'request')).toHaveLength(1);
    });

    it('a client that returns learns of no worker for a leg that none was given', async () => {
      stage.registry.service('team1', 'all', ['w1', 'w2'], { algorithm: 'mirror' });
      stage.client('c');
      await stage.worker('w1', { free: 0 });
      await stage.worker('w2');
      const id = stage.ask('c', 'all');
      stage.client('c2');
      stage.isSoonNow = false;
      stage.ask('c2', 'all', { id, resume: true });
      stage.say('w1', { op: 'disconnect' });
      expect(stage.to('c2', 'leg')).toMatchObject([{ worker: 'w1', code: 'no-worker' }]);
      expect(stage.to('c2', 'dispatched').map(({ worker }) => worker)).toEqual(['w2']);
    });

    it('a client that reads too slowly is told to begin again', async () => {
      stage.client('c');
      stage.broker.gone('c', 'too-slow');
      expect(stage.ops('c')).toEqual(['welcome', 'reannounce']);
    });

    it('a client’s acknowledgements are passed on to the worker, never more than there was or fewer than before', async () => {
      stage.client('c');
      await stage.worker('w1');
      const id = stage.ask('c', 'demo');
      stage.say('w1', { op: 'partial', id, stream: 'out', offset: 0 }, 'x'.repeat(100));
      for (const bytes of [40, 10, 1_000_000]) stage.say('c', { op: 'ack', id, worker: 'w1', bytes });
      expect(stage.to('w1', 'ack').map(({ bytes }) => bytes)).toEqual([40, 100]);
    });
  });

  describe('asked of another broker before', () => {
    beforeEach(() => {
      stage.registry.worker('team1', 'w2').service('team1', 'demo', ['w1', 'w2']);
      stage.client('c');
    });

    it('a broker that has just started waits for all workers that may have a resumed request, and then asks them', async () => {
      await stage.worker('w1');
      const id = stage.ask('c', 'demo', { resume: true });
      stage.pass(3_000, ['w1', 'c']);
      expect(stage.ops('w1')).toEqual(['welcome']);
      await stage.worker('w2');
      for (const worker of ['w1', 'w2']) expect(stage.to(worker, 'query')).toMatchObject([{ id }]);
      stage.say('w1', { op: 'known', id, known: false });
      expect(stage.to('w1', 'request')).toEqual([]);
      stage.say('w2', { op: 'known', id, known: true });
      stage.finish('w2', id);
      expect(stage.to('c', 'final')).toMatchObject([{ result: 'succeeded' }]);
    });

    it('a broker that has just started waits no longer for workers that have not connected in time', async () => {
      await stage.worker('w1');
      const id = stage.ask('c', 'demo', { resume: true });
      stage.pass(10_100, ['w1', 'c']);
      stage.say('w1', { op: 'credit', free: 1, seen: 0 });
      stage.say('w1', { op: 'known', id, known: false });
      expect(stage.to('w1', 'request')).toMatchObject([{ id }]);
    });

    it.each(['serial', 'mirror'] as const)(
      'a resumed request to a %s service without workers ends immediately',
      (algorithm) => {
        stage.registry.service('team1', 'empty', [], { algorithm });
        stage.ask('c', 'empty', { resume: true });
        expect(stage.to('c', 'final')).toMatchObject([{ result: 'lost', code: 'no-worker' }]);
        expect(stage.broker.state.requests).toBe(0);
      },
    );

    it('a resumed request continues where it runs', async () => {
      await stage.worker('w1');
      await stage.worker('w2');
      const id = stage.ask('c', 'demo', { resume: true });
      for (const worker of ['w1', 'w2']) expect(stage.ops(worker)).toEqual(['welcome', 'query']);
      stage.say('w1', { op: 'known', id, known: false });
      stage.say('w2', { op: 'known', id, known: true });
      stage.finish('w2', id);
      expect(stage.to('c', 'final')).toMatchObject([{ result: 'succeeded' }]);
      expect([...stage.to('w1', 'request'), ...stage.to('w2', 'request')]).toEqual([]);
    });

    it('a resumed request that no worker knows is begun', async () => {
      stage.pass(10_100, ['c']);
      await stage.worker('w1');
      const id = stage.ask('c', 'demo', { resume: true });
      stage.say('w1', { op: 'known', id, known: false });
      expect(stage.to('w1', 'request')).toMatchObject([{ id }]);
    });

    it.each([
      ['if-unstarted', ['final']],
      ['always', ['dispatched']],
    ] as const)('a resumed request with retry = %s, whose possible worker is lost, gets %s', async (retry, told) => {
      stage.registry.service('team1', 'demo', ['w1', 'w2'], { retry });
      await stage.worker('w1');
      await stage.worker('w2');
      const id = stage.ask('c', 'demo', { resume: true });
      stage.say('w1', { op: 'known', id, known: false });
      stage.say('w2', { op: 'disconnect' });
      expect(stage.ops('c').slice(2)).toEqual(told);
      expect(stage.to('w1', 'request')).toHaveLength(retry === 'always' ? 1 : 0);
    });

    it('a resumed request waits for the worker that the client names, and no other one is asked', async () => {
      await stage.worker('w1');
      const id = stage.ask('c', 'demo', { resume: true, worker: 'w2' });
      stage.pass(5_000, ['w1', 'c']);
      expect(stage.ops('c').slice(1)).toEqual(['accepted']);
      await stage.worker('w2');
      expect(stage.to('w2', 'query')).toMatchObject([{ id }]);
      expect(stage.to('w1', 'query')).toEqual([]);
    });

    it('a resumed request is lost when the worker that the client names does not connect', async () => {
      await stage.worker('w1');
      stage.ask('c', 'demo', { resume: true, worker: 'w2' });
      stage.pass(10_100, ['w1', 'c']);
      expect(stage.to('c', 'final')).toMatchObject([{ result: 'lost', code: 'worker-lost' }]);
      expect(stage.to('w1', 'request')).toEqual([]);
    });

    it('a worker that loses its connection is asked for a resumed request when it is back, and nobody gets it before', async () => {
      await stage.worker('w1');
      await stage.worker('w2', { instance: 'a' });
      stage.broker.gone('w2', 'disconnected');
      const id = stage.ask('c', 'demo', { resume: true });
      stage.say('w1', { op: 'known', id, known: false });
      expect(stage.to('w1', 'request')).toEqual([]);
      await stage.worker('w2', { peer: 'w2 again', instance: 'a' });
      stage.say('w2 again', { op: 'known', id, known: true });
      stage.finish('w2 again', id);
      expect(stage.to('c', 'final')).toMatchObject([{ id, result: 'succeeded' }]);
      expect([...stage.to('w1', 'request'), ...stage.to('w2 again', 'request')]).toEqual([]);
    });

    it('requests with another broker’s token are accepted in order, once the token was checked', async () => {
      await stage.worker('w1', { free: 300 });
      stage.registry.unseen.add('jwt:user1@team1');
      const ids = Array.from({ length: 256 }, () => stage.ask('c', 'w1'));
      const last = ids.at(-1) as string;
      stage.say('c', { op: 'cancel', jwt: 'jwt:user1@team1', id: last });
      expect(stage.to('c', 'accepted')).toEqual([]);
      await until(() => stage.to('w1', 'request').length > 0, 'the token to be looked at');
      expect(stage.to('c', 'accepted').map(({ id }) => id)).toEqual(ids);
      expect(stage.to('c', 'refused')).toEqual([]);
      expect(stage.to('w1', 'cancel')).toMatchObject([{ id: last }]);
    });

    it('a request that is cancelled while its worker is waited for ends only when its fate is known', async () => {
      await stage.worker('w1');
      const id = stage.ask('c', 'demo', { resume: true, worker: 'w2' });
      stage.say('c', { op: 'cancel', jwt: 'jwt:user1@team1', id });
      expect(stage.to('c', 'final')).toEqual([]);
      await stage.worker('w2');
      stage.say('w2', { op: 'known', id, known: true });
      expect(stage.to('w2', 'cancel')).toMatchObject([{ id }]);
    });

    it('a resumed request that is cancelled while it is searched for is cancelled where it is found', async () => {
      stage.pass(10_100, ['c']);
      await stage.worker('w1');
      const id = stage.ask('c', 'demo', { resume: true });
      stage.say('c', { op: 'cancel', jwt: 'jwt:user1@team1', id });
      stage.say('w1', { op: 'known', id, known: true });
      expect(stage.to('w1', 'cancel')).toMatchObject([{ id }]);
    });
  });

  it('a broker that stops tells all peers, and takes no new request', async () => {
    stage.client('c');
    await stage.worker('w1');
    const id = stage.ask('c', 'demo');
    stage.broker.sayGoodbye();
    expect([stage.ops('c').at(-1), stage.ops('w1').at(-1)]).toEqual(['goodbye', 'goodbye']);
    stage.ask('c', 'demo');
    expect(stage.to('c').at(-1)).toMatchObject({ op: 'refused', code: 'draining' });
    // Else a client that knows no other broker would be in and out again, and a worker away for half a minute.
    stage.client('d');
    stage.say('w2', ready('w2', 'b'), 'token');
    for (const peer of ['d', 'w2'])
      expect(stage.to(peer)).toMatchObject([{ op: 'refused', code: 'draining', retry_after_ms: 1_000 }]);
    expect(stage.broker.running).toBe(1);
    stage.finish('w1', id);
    expect(stage.broker.running).toBe(0);
    stage.broker.close();
    expect(stage.online.size).toBe(0);
  });

  it('a request that waits when the broker stops does not start and is not reported: another broker is asked for it', async () => {
    stage.registry.worker('team1', 'w2').service('team1', 'row', ['w1', 'w2'], { algorithm: 'serial' });
    stage.client('c');
    await stage.worker('w1', { free: 2 });
    await stage.worker('w2');
    const runs = stage.ask('c', 'row');
    stage.ask('c', 'w1');
    stage.ask('c', 'demo');
    stage.broker.sayGoodbye();
    expect(stage.broker.state).toMatchObject({ requests: 2, queued: 0 });
    stage.clear();
    stage.finish('w1', runs, { free: 2 });
    expect(stage.to('w1', 'request')).toEqual([]);
    expect(stage.to('w2', 'request')).toEqual([]);
    expect(stage.to('c')).toEqual([]);
    expect(stage.broker.running).toBe(1);
  });

  it('a broker sends heartbeats, and forgets an idle client that sends none', () => {
    stage.client('c');
    stage.pass(9_000);
    expect(stage.sent.filter(({ op }) => op === 'heartbeat').length).toBe(3);
    stage.pass(1_200);
    expect(stage.broker.state.peers).toBe(0);
    expect(stage.forgotten).toEqual(['c']);
  });
});
