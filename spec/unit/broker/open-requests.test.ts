import { beforeEach, describe, expect, it } from 'vitest';
import { BrokerStage, settled } from '../../support/broker-stage.ts';

/** ann is admin of team1, bob and cid its members; eve is admin of team2. m1 comes from team1 and asks inside of team3. */
describe('requests that are not over', () => {
  let stage: BrokerStage;
  let ids: Readonly<Record<'bobs' | 'cids' | 'eves' | 'm1s', string>>;
  let nonce = 0;

  beforeEach(async () => {
    stage = new BrokerStage();
    const { registry } = stage;
    registry.service('team1', 'demo', ['w1']).worker('team2', 'w2').worker('team3', 'w3');
    for (const admin of ['ann', 'eve']) registry.admins.add(admin);
    await stage.worker('w1', { free: 1 });
    for (const [peer, team] of [
      ['w2', 'team2'],
      ['w3', 'team3'],
    ] as const) {
      const claim = { identity: peer, instance: peer, node: 'n', version: '1', free: 0 };
      stage.say(peer, { op: 'ready', v: 1, team, ...claim }, 'token');
      await settled();
      stage.say(peer, { op: 'announce', services: [peer] });
    }
    for (const user of ['ann', 'bob', 'cid', 'eve', 'm1']) stage.client(user);
    const ask = (user: string, team: string, service: string) =>
      stage.ask(user, service, { jwt: `jwt:${user}@${team}` }, `echo ${user}`);
    registry.origins.set('m1', { user: 99, team: registry.callerOf('jwt:ann@team1')?.teamId ?? 0 });
    ids = {
      bobs: ask('bob', 'team1', 'demo'),
      cids: ask('cid', 'team1', 'demo'),
      eves: ask('eve', 'team2', 'team1/demo'),
      m1s: ask('m1', 'team3', 'w3'),
    };
    stage.clear();
  });

  const say = async (user: string, statement: object, team = 'team1') => {
    const n = ++nonce;
    const about = { team, ...statement };
    stage.say(user, { op: 'registry', jwt: `jwt:${user}@${team}`, n, statement: about });
    await settled();
    const answer = stage.to(user).find((each) => each['n'] === n);
    return answer?.op === 'answer' ? JSON.parse(answer.body) : answer?.['code'];
  };
  const list = async (user: string, team?: string, filter = {}) => {
    const { rows } = await say(user, { verb: 'request.list', ...filter }, team);
    return (rows as { id: string }[]).map(({ id }) => Object.entries(ids).find(([, each]) => each === id)?.[0]);
  };

  it('open requests are shown to their user, to admins of the team and of the service, and to the user’s creators', async () => {
    expect(await list('bob')).toEqual(['bobs']);
    expect(await list('ann')).toEqual(['bobs', 'cids', 'eves', 'm1s']);
    expect(await list('eve', 'team2')).toEqual(['eves']);
    expect(await list('m1', 'team3')).toEqual(['m1s']);
    expect(await list('ann', 'team2')).toEqual(['eves']);
  });

  it('open requests have their command, their state and the size that they hold', async () => {
    const { kind, rows, notices } = await say('ann', { verb: 'request.list' });
    expect([kind, notices]).toEqual(['request', []]);
    expect(rows).toMatchObject([
      {
        broker: 'broker-1',
        team: 'team1',
        user: 'bob',
        service: 'demo',
        service_team: 'team1',
        plugin: 'echo',
        command: 'echo bob',
        state: 'running',
        workers: ['w1'],
        bytes: 520,
        received_at: new Date(1_000_000).toISOString(),
        expires_at: new Date(1_300_000).toISOString(),
      },
      { state: 'waiting', workers: [] },
      { user: 'eve', team: 'team2' },
      // What is asked inside of another team is that team's business.
      { user: 'm1', team: 'team3', service: '', plugin: '', command: '' },
    ]);
  });

  it('open requests are filtered by user, service and ID, up to a limit', async () => {
    expect(await list('ann', 'team1', { user: 'cid' })).toEqual(['cids']);
    expect(await list('ann', 'team1', { service: 'demo' })).toEqual(['bobs', 'cids', 'eves']);
    expect(await list('ann', 'team1', { service: 'w3' })).toEqual([]);
    expect(await list('ann', 'team1', { request: ids.eves })).toEqual(['eves']);
    const { rows, notices } = await say('ann', { verb: 'request.list', limit: 1 });
    expect([rows.length, notices]).toEqual([1, ['There are 3 more; name a user or a service.']]);
  });

  it.each([
    ['bob', 'team1', 'cids'],
    ['bob', 'team1', 'eves'],
    ['eve', 'team2', 'bobs'],
    ['m1', 'team3', 'bobs'],
  ] as const)('a member cannot end another’s request: %s of %s, %s', async (user, team, which) => {
    expect(await say(user, { verb: 'request.cancel', request: ids[which] }, team)).toBe('request-not-found');
    expect(stage.broker.state.requests).toBe(4);
  });

  it.each([
    ['bob', 'team1', 'bobs'],
    ['ann', 'team1', 'cids'],
    ['ann', 'team1', 'eves'],
    ['ann', 'team1', 'm1s'],
    ['eve', 'team2', 'eves'],
  ] as const)('a member may end a request: %s of %s, %s', async (user, team, which) => {
    const { rows } = await say(user, { verb: 'request.cancel', request: ids[which] }, team);
    expect(rows).toMatchObject([{ id: ids[which] }]);
    const told = { op: which === 'bobs' ? 'cancel' : 'final', id: ids[which], reason: `cancelled by ${user}@${team}` };
    expect(stage.sent).toContainEqual(expect.objectContaining(told));
  });

  it('open requests of one user are ended together, as far as the caller may end them', async () => {
    stage.ask('bob', 'demo', { jwt: 'jwt:bob@team1' });
    expect((await say('ann', { verb: 'request.cancel', user: 'bob' })).rows).toHaveLength(2);
    expect(await say('bob', { verb: 'request.cancel', user: 'cid' })).toBe('request-not-found');
    expect(await list('ann')).toEqual(['bobs', 'cids', 'eves', 'm1s']);
    expect((await say('ann', { verb: 'request.list', user: 'bob' })).rows).toMatchObject([{ state: 'cancelled' }]);
  });

  it('open requests are all visible to root', () => {
    const root = { kind: 'local', team: null, by: 'root@node1' } as const;
    expect(stage.broker.openRequests.list(root, {}).rows).toHaveLength(4);
    expect(stage.broker.openRequests.list({ ...root, team: 'team3' }, {}).rows).toMatchObject([
      { user: 'm1', service: 'w3' },
    ]);
    expect(stage.broker.openRequests.cancel(root, { request: ids.cids }).rows).toMatchObject([{ user: 'cid' }]);
    expect(stage.to('cid', 'final')).toMatchObject([{ reason: 'cancelled by root@node1' }]);
    expect(() => stage.broker.openRequests.cancel({ ...root, team: 'team3' }, { request: ids.bobs })).toThrow(
      'no request',
    );
  });

  it.each([
    [{ verb: 'request.list', team: 'team2' }, 'registry-not-found'],
    [{ verb: 'request.list', team: 7 }, 'registry-invalid'],
    [{ verb: 'request.list', request: '01hzzzzzzzzzzzzzzzzzzzzzza' }, 'registry-invalid'],
    [{ verb: 'request.list', user: '' }, 'registry-invalid'],
    [{ verb: 'request.list', limit: 0 }, 'registry-invalid'],
    [{ verb: 'request.list', limit: 1_001 }, 'registry-invalid'],
    [{ verb: 'request.list', all: true }, 'registry-invalid'],
    [{ verb: 'request.cancel' }, 'registry-invalid'],
    [{ verb: 'request.cancel', service: 'demo' }, 'registry-invalid'],
    [{ verb: 'request.cancel', user: 'bob', request: '01HZZZZZZZZZZZZZZZZZZZZZZA' }, 'registry-invalid'],
  ])('a statement about open requests is refused: %j', async (statement, code) => {
    expect(await say('ann', { team: 'team1', ...statement })).toBe(code);
  });
});
