import { beforeEach, describe, expect, it } from 'vitest';
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

  it('an invitation is seen by whom it is for, who accepts or declines', async () => {
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

  it.each([
    ['removed', { verb: 'team.remove', identity: 'zed' }],
    ['made a member', { verb: 'user.set', identity: 'zed', role: 'member' }],
    ['disabled', { verb: 'user.set', identity: 'zed', disabled: true }],
    ['deleted', { verb: 'user.delete', identity: 'zed' }],
  ])('the last admin can not be %s', async (_what, statement) => {
    await world.asRoot({ verb: 'team.add', name: 'team2' });
    await addUser('zed', 'team2', 'admin');
    await addUser('off', 'team2', 'admin');
    await world.asRoot({ verb: 'user.set', team: 'team2', identity: 'off', disabled: true });
    const inTeam2 = (more: object) => world.asRoot({ team: 'team2', ...more });
    await expect(inTeam2(statement)).rejects.toMatchObject({
      code: 'registry-in-use',
      message: '“zed” is the last admin of team team2',
    });
    await addUser('amy', 'team2', 'admin');
    await inTeam2(statement);
  });

  it('the owner goes only when somebody else owns the team', async () => {
    await addUser('amy', 'team1', 'admin');
    const amy = world.as('amy');
    for (const statement of [{ verb: 'user.delete' }, { verb: 'team.remove' }, { verb: 'user.set', role: 'member' }])
      await expect(amy({ ...statement, identity: 'ann' })).rejects.toMatchObject({
        code: 'registry-in-use',
        message: '“ann” owns team team1; give it to another admin first',
      });
    await expect(amy({ verb: 'team.set', name: 'team1', owner: 'zoe' })).rejects.toMatchObject({
      code: 'registry-invalid',
    });
    await amy({ verb: 'team.set', name: 'team1', owner: 'amy' });
    await amy({ verb: 'user.delete', identity: 'ann' });
    expect((await amy({ verb: 'user.list' })).rows).toMatchObject([{ identity: 'amy' }]);
  });

  it('an admin of another team can not govern a user who only joined it', async () => {
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

  it('numbers are never given twice, whatever was deleted', async () => {
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

  it('a namesake who comes later owns nothing of what was there', async () => {
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

  it('a user may be called as a method of every object', async () => {
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
