import { beforeEach, describe, expect, it } from 'vitest';
import { maxFromTeam } from '../../../src/registry/rules/limits.ts';
import { password } from '../../support/registry.ts';
import { newWorld, type World } from '../../support/registry-world.ts';

describe('teams and users', () => {
  let world: World;
  const addUser = (identity: string, team = 'team1', role = 'member') =>
    world.asRoot({ verb: 'user.add', team, identity, secret: password, role });

  beforeEach(async () => {
    world = await newWorld();
  });

  it('every user may make a team, and is its admin and owner', async () => {
    await addUser('bob');
    await world.as('bob')({ verb: 'team.add', name: 'bobs', description: 'his own' });
    const { rows } = await world.as('bob', 'bobs')({ verb: 'user.list' });
    expect(rows).toMatchObject([{ identity: 'bob', role: 'admin', state: 'active', home: 'team1' }]);
    await expect(world.as('bob')({ verb: 'team.add', name: 'bobs' })).rejects.toMatchObject({
      code: 'registry-exists',
    });
  });

  it('an invitation is visible to the invited user, who accepts or declines', async () => {
    await world.asRoot({ verb: 'team.add', name: 'team2' });
    await addUser('eve', 'team2', 'admin');
    const eve = world.as('eve', 'team2');
    await world.as('ann')({ verb: 'team.invite', identity: 'eve', role: 'admin' });
    expect((await eve({ verb: 'team.list' })).rows).toMatchObject([
      { name: 'team1', members: [], invited: ['eve'] },
      { name: 'team2', members: ['eve'] },
    ]);
    // Invited is not a member yet.
    await expect(world.as('eve')({ verb: 'user.list' })).rejects.toMatchObject({ code: 'registry-not-found' });
    await eve({ verb: 'team.accept', team: 'team1' });
    expect((await world.as('eve')({ verb: 'user.list' })).rows).toHaveLength(2);
    await expect(eve({ verb: 'team.accept', team: 'team1' })).rejects.toMatchObject({ code: 'registry-not-found' });

    await world.as('eve')({ verb: 'team.remove', identity: 'eve' });
    await world.as('ann')({ verb: 'team.invite', identity: 'eve', role: 'member' });
    await eve({ verb: 'team.decline', team: 'team1' });
    expect((await eve({ verb: 'team.list' })).rows).toMatchObject([{ name: 'team2' }]);
  });

  it('root’s invitation needs no answer', async () => {
    await world.asRoot({ verb: 'team.add', name: 'team2' });
    await world.asRoot({ verb: 'team.invite', team: 'team2', identity: 'ann', role: 'admin' });
    expect((await world.as('ann', 'team2')({ verb: 'user.list' })).rows).toMatchObject([{ identity: 'ann' }]);
  });

  describe('the last admin of a team', () => {
    const inTeam2 = (more: object) => world.asRoot({ team: 'team2', ...more });
    const leaderless =
      'Team team2 has no enabled admin. Root can give it one: trigger team invite team2 USER --role admin';

    beforeEach(async () => {
      await world.asRoot({ verb: 'team.add', name: 'team2' });
      await addUser('zed', 'team2', 'admin');
      await addUser('off', 'team2', 'admin');
      await inTeam2({ verb: 'user.set', identity: 'off', disabled: true });
    });

    const ways: readonly (readonly [string, object])[] = [
      ['removed', { verb: 'team.remove', identity: 'zed' }],
      ['made a member', { verb: 'user.set', identity: 'zed', role: 'member' }],
      ['disabled', { verb: 'user.set', identity: 'zed', disabled: true }],
      ['deleted', { verb: 'user.delete', identity: 'zed' }],
    ];

    it.each(ways)(
      'the last admin of a team can be %s by root, who is told that the team has no admin',
      async (_what, statement) => {
        expect(await inTeam2(statement)).toMatchObject({ notices: [leaderless] });
        const stateOf = async () =>
          ((await world.asRoot({ verb: 'team.list' })).rows as { name: string; state: string }[]).find(
            ({ name }) => name === 'team2',
          )?.state;
        expect(await stateOf()).toBe('no-admin');
        await inTeam2({ verb: 'team.invite', identity: 'ann', role: 'admin' });
        expect(await stateOf()).toBe('active');
      },
    );

    it.each(ways.slice(0, 3))('the last admin of a team cannot be %s by themselves', async (_what, statement) => {
      const zed = world.as('zed', 'team2');
      await expect(zed(statement)).rejects.toMatchObject({
        code: 'registry-in-use',
        message: '“zed” is the last admin of team team2',
      });
      await addUser('amy', 'team2', 'admin');
      expect(await zed(statement)).toMatchObject({ notices: [] });
    });

    it('the last admin of a team finds a successor also in a full team', async () => {
      const { store } = world;
      const state = await world.registry.mirror.current();
      const team = state.teams.get('team2');
      const invited = Object.fromEntries(Array.from({ length: 1_000 }, (_each, index) => [`u${index}`, 'member']));
      const value = JSON.stringify({ format: 1, ...team, invited });
      await store.commit({ compare: [], write: [{ put: '/trigger/v1/registry/teams/team2', value }] });
      await inTeam2({ verb: 'user.set', identity: 'zed', disabled: true });
      await inTeam2({ verb: 'team.invite', identity: 'ann', role: 'admin' });
      expect((await world.as('ann', 'team2')({ verb: 'user.list' })).rows).toHaveLength(3);
    });
  });

  it('an owner steps down only when another admin owns the team; root takes the team from them', async () => {
    await addUser('amy', 'team1', 'admin');
    const amy = world.as('amy');
    for (const statement of [{ verb: 'team.remove' }, { verb: 'user.set', role: 'member' }])
      await expect(amy({ ...statement, identity: 'ann' })).rejects.toMatchObject({
        code: 'registry-in-use',
        message: '“ann” owns team team1; give it to another admin first',
      });
    await expect(amy({ verb: 'team.set', name: 'team1', owner: 'zoe' })).rejects.toMatchObject({
      code: 'registry-invalid',
    });
    await world.asRoot({ verb: 'user.set', identity: 'ann', role: 'member' });
    expect((await amy({ verb: 'team.list' })).rows).toMatchObject([{ name: 'team1', owner: '' }]);
    await amy({ verb: 'team.set', name: 'team1', owner: 'amy' });
    await amy({ verb: 'user.delete', identity: 'ann' });
    expect((await amy({ verb: 'user.list' })).rows).toMatchObject([{ identity: 'amy' }]);
  });

  describe('a member who would like to be out of reach', () => {
    const generationOf = async (identity: string) =>
      (await world.registry.mirror.current()).users.get(identity)?.generation;

    beforeEach(async () => {
      await addUser('mallory');
      await world.as('mallory')({ verb: 'team.add', name: 'mine' });
    });

    const ends: readonly (readonly [string, object])[] = [
      ['disabled', { verb: 'user.set', disabled: true }],
      ['revoked', { verb: 'user.revoke' }],
      ['deleted', { verb: 'user.delete' }],
    ];

    it.each(ends)(
      'a member as the last admin of their own team is %s by the admin of their home',
      async (_what, statement) => {
        await world.as('ann')({ ...statement, identity: 'mallory' });
        expect(await generationOf('mallory')).not.toBe(1);
      },
    );

    it.each(ends)(
      'a member who has left the home team is listed there, and %s by its admin',
      async (_what, statement) => {
        await world.as('mallory')({ verb: 'team.remove', identity: 'mallory' });
        const ann = world.as('ann');
        expect((await ann({ verb: 'user.list' })).rows).toMatchObject([
          { identity: 'ann' },
          { identity: 'mallory', state: 'elsewhere' },
        ]);
        await expect(ann({ verb: 'user.set', identity: 'mallory', role: 'admin' })).rejects.toMatchObject({
          code: 'registry-not-found',
        });
        await ann({ ...statement, identity: 'mallory' });
        expect(await generationOf('mallory')).not.toBe(1);
      },
    );

    it.each(ends)('a member’s own user is %s by the admin of the member’s home', async (_w, end) => {
      const mine = world.as('mallory', 'mine');
      await mine({ verb: 'user.add', identity: 'puppet', secret: password, role: 'admin' });
      await world.as('puppet', 'mine')({ verb: 'team.add', name: 'deeper' });
      const deeper = world.as('puppet', 'deeper');
      await deeper({ verb: 'user.add', identity: 'deepest', secret: password, role: 'admin' });
      const ann = world.as('ann');
      // The password is the affair of the own home.
      await expect(ann({ verb: 'user.set', identity: 'deepest', secret: password })).rejects.toMatchObject({
        code: 'registry-denied',
      });
      await addUser('bob');
      await expect(world.as('bob')({ ...end, identity: 'deepest' })).rejects.toMatchObject({
        code: 'registry-not-found',
      });
      await ann({ ...end, identity: 'deepest' });
      expect(await generationOf('deepest')).not.toBe(1);
    });

    it('a member of more teams than one transaction takes is disabled, and deleted from all', async () => {
      const { store } = world;
      const state = await world.registry.mirror.current();
      const user = state.users.get('mallory');
      for (let number = 0; number < 250; number++) {
        const team = { ...state.teams.get('mine'), id: 100 + number, name: `t${number}` };
        const value = JSON.stringify({ format: 1, ...team, members: { mallory: 'admin' }, owner_id: user?.id });
        await store.commit({ compare: [], write: [{ put: `/trigger/v1/registry/teams/t${number}`, value }] });
      }
      const { notices } = await world.as('ann')({ verb: 'user.delete', identity: 'mallory' });
      expect(notices).toContainEqual(expect.stringContaining('no enabled admin'));
      const after = await world.registry.mirror.current();
      expect(after.users.has('mallory')).toBe(false);
      expect([...after.teams.values()].filter(({ members }) => Object.hasOwn(members, 'mallory'))).toEqual([]);
    });

    it('root deletes a member’s own team with all that it holds, and with its users', async () => {
      const mine = world.as('mallory', 'mine');
      for (let number = 0; number < 120; number++)
        await mine({ verb: 'user.add', identity: `u${number}`, secret: password });
      await mine({ verb: 'worker.add', identity: 'w' });
      await mine({ verb: 'directory.add', path: '/dir' });
      await expect(world.asRoot({ verb: 'team.delete', name: 'mine' })).rejects.toMatchObject({
        code: 'registry-in-use',
      });
      await expect(mine({ verb: 'team.delete', name: 'mine', force: true })).rejects.toMatchObject({
        code: 'registry-denied',
      });
      await world.asRoot({ verb: 'team.delete', name: 'mine', force: true });
      const state = await world.registry.mirror.current();
      expect([...state.users.keys()]).toEqual(['ann', 'mallory']);
      expect([...state.revisions.keys()].filter((key) => key.includes('/mine'))).toEqual([]);
    });
  });

  describe('what comes from one user', () => {
    it('one user can make 20 teams, including the teams of users that they have made, and those of these users’ users', async () => {
      await addUser('mallory');
      let maker = world.as('mallory');
      for (let number = 0; number < 10; number++) {
        await maker({ verb: 'team.add', name: `a${number}` });
        await maker({ verb: 'team.add', name: `b${number}` });
        const own = world.as(number === 0 ? 'mallory' : `m${number}`, `a${number}`);
        await own({ verb: 'user.add', identity: `m${number + 1}`, secret: password, role: 'admin' });
        maker = world.as(`m${number + 1}`, `a${number}`);
      }
      const full = { code: 'registry-full', message: '20 teams come from “mallory”, and more are not allowed' };
      await expect(maker({ verb: 'team.add', name: 'more' })).rejects.toMatchObject(full);
      await expect(world.as('mallory')({ verb: 'team.add', name: 'more' })).rejects.toMatchObject(full);
      // Others in the same home are not concerned, root is not, and what was deleted makes room.
      await addUser('bob');
      await world.as('bob')({ verb: 'team.add', name: 'bobs' });
      await world.asRoot({ verb: 'team.add', name: 'roots' });
      await world.as('mallory', 'b0')({ verb: 'team.delete', name: 'b0' });
      await maker({ verb: 'team.add', name: 'more' });
    });

    it('a team still counts for its maker when it was given away or deleted, and its users live on', async () => {
      await addUser('mallory');
      const mallory = world.as('mallory');
      await mallory({ verb: 'team.add', name: 'a' });
      const own = world.as('mallory', 'a');
      await own({ verb: 'user.add', identity: 'm1', secret: password, role: 'admin' });
      await world.as('m1', 'a')({ verb: 'team.add', name: 'b' });
      await own({ verb: 'team.set', name: 'a', owner: 'm1' });
      await world.as('m1', 'a')({ verb: 'team.delete', name: 'a' });
      const state = await world.registry.mirror.current();
      const { id } = state.users.get('mallory') ?? {};
      expect(state.users.get('m1')).toMatchObject({ home: null, origin: { user: id, team: 1 } });
      expect(state.teams.get('b')).toMatchObject({ origin: { user: id, team: 1 } });
      await world.as('ann')({ verb: 'user.set', identity: 'm1', disabled: true });
    });

    it.each([
      ['teams', maxFromTeam.team, { verb: 'team.add', name: 'more' }],
      ['users', maxFromTeam.user, { verb: 'user.add', identity: 'more', secret: password }],
    ] as const)(
      'the users and teams from one team are bounded by a quarter of all %s',
      async (kind, limit, statement) => {
        const world = await newWorld();
        const state = await world.registry.mirror.current();
        const ann = state.users.get('ann');
        for (let number = 0; number < limit; number++) {
          const other = { id: 10 + number, origin: { user: 10_000 + number, team: 1 } };
          const team = { ...state.teams.get('team1'), ...other, name: `x${number}`, members: {} };
          const user = { ...ann, ...other, identity: `x${number}` };
          const value = JSON.stringify({ format: 1, ...(kind === 'teams' ? team : user) });
          await world.store.commit({ compare: [], write: [{ put: `/trigger/v1/registry/${kind}/x${number}`, value }] });
        }
        await expect(world.as('ann')(statement)).rejects.toMatchObject({
          code: 'registry-full',
          message: expect.stringMatching(`${kind} come from team team1`),
        });
        await world.asRoot(statement);
      },
    );

    it('a record of an earlier version has no origin: it gets that of its home, or is its own', async () => {
      await addUser('old');
      const state = await world.registry.mirror.current();
      const { origin: _, ...old } = state.users.get('old') ?? {};
      const value = JSON.stringify({ format: 1, ...old });
      await world.store.commit({ compare: [], write: [{ put: '/trigger/v1/registry/users/old', value }] });
      await world.as('old')({ verb: 'team.add', name: 'olds' });
      const { teams } = await world.registry.mirror.current();
      expect(teams.get('olds')).toMatchObject({ origin: { user: state.users.get('old')?.id, team: 1 } });
      expect(teams.get('team1')).not.toHaveProperty('origin');
    });
  });

  it('an admin of another team cannot govern a user who only joined it', async () => {
    await world.asRoot({ verb: 'team.add', name: 'team2' });
    await addUser('eve', 'team2', 'admin');
    await world.asRoot({ verb: 'team.invite', team: 'team2', identity: 'ann', role: 'member' });
    const eve = world.as('eve', 'team2');
    for (const statement of [
      { verb: 'user.set', identity: 'ann', secret: 'another password' },
      { verb: 'user.set', identity: 'ann', disabled: true },
      { verb: 'user.revoke', identity: 'ann' },
      { verb: 'user.delete', identity: 'ann' },
    ])
      await expect(eve(statement)).rejects.toMatchObject({ code: 'registry-denied' });
    await eve({ verb: 'team.remove', identity: 'ann' });
  });

  it('a team is deleted when it is empty, with the users that are nowhere else', async () => {
    await addUser('bob');
    await world.as('bob')({ verb: 'team.add', name: 'bobs' });
    await addUser('amy', 'bobs');
    await world.asRoot({ verb: 'team.invite', team: 'bobs', identity: 'ann', role: 'member' });
    const bob = world.as('bob', 'bobs');
    await bob({ verb: 'worker.add', identity: 'w' });
    await expect(bob({ verb: 'team.delete', name: 'bobs' })).rejects.toMatchObject({
      code: 'registry-in-use',
      message: 'bobs still has worker w',
    });
    await bob({ verb: 'worker.delete', identity: 'w' });
    await bob({ verb: 'team.delete', name: 'bobs' });
    const state = await world.registry.mirror.current();
    expect([...state.users.keys()].sort()).toEqual(['ann', 'bob']);
    expect([...state.teams.keys()]).toEqual(['team1']);
    expect([...state.revisions.keys()].filter((key) => key.includes('bobs'))).toEqual([]);
  });

  it('a number is never given twice, whatever was deleted', async () => {
    await addUser('bob');
    await world.asRoot({ verb: 'user.delete', identity: 'bob' });
    await addUser('bob');
    const { rows } = await world.asRoot({ verb: 'user.list' });
    expect(rows).toMatchObject([
      { id: 1, identity: 'ann' },
      { id: 3, identity: 'bob' },
    ]);
    await world.asRoot({ verb: 'team.add', name: 'a' });
    await world.asRoot({ verb: 'team.delete', name: 'a' });
    expect((await world.asRoot({ verb: 'team.add', name: 'a' })).rows).toMatchObject([{ id: 3 }]);
  });

  it('a new password and being disabled end the tokens; a description does not', async () => {
    await addUser('bob');
    const generation = async () => (await world.registry.mirror.current()).users.get('bob')?.generation;
    await world.as('bob')({ verb: 'user.set', identity: 'bob', description: 'the builder' });
    expect(await generation()).toBe(1);
    await world.as('bob')({ verb: 'user.set', identity: 'bob', secret: 'another password' });
    expect(await generation()).toBe(2);
    await world.asRoot({ verb: 'user.set', identity: 'bob', disabled: true });
    expect(await generation()).toBe(3);
    await world.asRoot({ verb: 'user.set', identity: 'bob', disabled: true });
    expect(await generation()).toBe(3);
  });

  it('a later user of the same name owns nothing of the deleted user’s', async () => {
    await addUser('bob');
    const bob = world.as('bob');
    await bob({ verb: 'worker.add', identity: 'w' });
    await bob({ verb: 'service.add', name: 's' });
    await world.asRoot({ verb: 'user.delete', identity: 'bob' });
    await addUser('bob');
    await expect(bob({ verb: 'worker.rotate', identity: 'w' })).rejects.toMatchObject({ code: 'registry-denied' });
    expect((await bob({ verb: 'service.list' })).rows).toEqual([]);
  });

  it('a user who is disabled or gone can make no team', async () => {
    await addUser('bob');
    await world.asRoot({ verb: 'user.set', identity: 'bob', disabled: true });
    for (const identity of ['bob', 'zoe'])
      await expect(world.as(identity)({ verb: 'team.add', name: 'x' })).rejects.toMatchObject({
        code: 'registry-denied',
      });
  });

  it('a user may have the name of a method of every object', async () => {
    for (const identity of ['toString', 'valueOf', 'hasOwnProperty']) {
      await expect(world.as(identity)({ verb: 'user.list' })).rejects.toMatchObject({ code: 'registry-not-found' });
      await addUser(identity);
      await expect(world.as(identity)({ verb: 'user.add', identity: 'x', secret: password })).rejects.toMatchObject({
        code: 'registry-denied',
      });
    }
    expect((await world.asRoot({ verb: 'user.list' })).rows).toHaveLength(4);
  });
});
