import { beforeEach, describe, expect, it } from 'vitest';
import { registryKeysBelow } from '../../../src/registry/keys.ts';
import { serializeHits } from '../../../src/registry/wire.ts';
import { newWorld, type World } from '../../support/registry-world.ts';

describe('the tree of trigger files', () => {
  let world: World;
  let ann: ReturnType<World['as']>;
  const paths = async (verb: 'definition.list' | 'directory.list') =>
    (await ann({ verb })).rows.map((row) => (row as { path: string }).path).sort();

  beforeEach(async () => {
    world = await newWorld();
    ann = world.as('ann');
    for (const path of ['/a', '/a/b', '/c']) await ann({ verb: 'directory.add', path });
  });

  it('a directory of trigger files moves with everything in it', async () => {
    await ann({ verb: 'definition.add', path: '/a/b/t' });
    await ann({ verb: 'directory.set', path: '/a', to: '/c/x' });
    expect(await paths('directory.list')).toEqual(['/c', '/c/x', '/c/x/b']);
    expect(await paths('definition.list')).toEqual(['/c/x/b/t']);
    await ann({ verb: 'directory.set', path: '/c/x', mode: 0o700 });
    expect((await ann({ verb: 'directory.list' })).rows).toContainEqual(
      expect.objectContaining({ path: '/c/x', mode: '0700' }),
    );
  });

  it.each([
    ['into itself', '/a', '/a/x'],
    ['below itself', '/a', '/a/b/x'],
  ])('a directory does not move %s', async (_what, path, to) => {
    await expect(ann({ verb: 'directory.set', path, to })).rejects.toMatchObject({
      code: 'registry-invalid',
      message: 'a directory cannot be moved into itself',
    });
  });

  it('a move in the tree replaces no entry', async () => {
    await ann({ verb: 'definition.add', path: '/c/t' });
    for (const statement of [
      { verb: 'directory.add', path: '/a' },
      { verb: 'directory.add', path: '/c/t' },
      { verb: 'directory.set', path: '/a/b', to: '/c' },
      { verb: 'definition.add', path: '/c/t' },
      { verb: 'definition.add', path: '/a/b' },
    ])
      await expect(ann(statement)).rejects.toMatchObject({ code: 'registry-exists' });
    await ann({ verb: 'definition.set', name: 't', path: '/c/t' });
    await ann({ verb: 'directory.set', path: '/a', to: '/a' });
  });

  it('a directory is deleted only when it is empty', async () => {
    await expect(ann({ verb: 'directory.delete', path: '/a' })).rejects.toMatchObject({
      code: 'registry-in-use',
      message: '/a is not empty',
    });
    await ann({ verb: 'directory.delete', path: '/a/b' });
    await ann({ verb: 'directory.delete', path: '/a' });
    expect(await paths('directory.list')).toEqual(['/c']);
  });

  it('a trigger needs an existing directory', async () => {
    await expect(ann({ verb: 'definition.add', path: '/t' })).rejects.toMatchObject({
      code: 'registry-invalid',
      message: '/t: a trigger must be in a directory, such as /alarms/t',
    });
    await expect(ann({ verb: 'definition.add', path: '/a/nowhere/t' })).rejects.toMatchObject({
      code: 'registry-not-found',
      message: 'there is no directory “/a/nowhere”',
    });
    await ann({ verb: 'definition.add', path: '/a/t' });
    await expect(ann({ verb: 'definition.add', path: '/a/t/u' })).rejects.toMatchObject({
      message: 'there is no directory “/a/t”',
    });
  });

  it('the tree goes 32 directories deep and no deeper, whatever the statement', async () => {
    let path = '/a/b';
    for (let depth = 3; depth <= 32; depth++) {
      path += '/d';
      await ann({ verb: 'directory.add', path });
    }
    await expect(ann({ verb: 'directory.add', path: `${path}/d` })).rejects.toMatchObject({ code: 'registry-invalid' });
    await expect(ann({ verb: 'directory.set', path: '/a', to: '/c/a' })).rejects.toMatchObject({
      code: 'registry-invalid',
    });
    await ann({ verb: 'definition.add', path: `${path}/t` });
  });

  it('a trigger’s name alone means the one trigger that has it', async () => {
    await ann({ verb: 'definition.add', path: '/a/t' });
    await ann({ verb: 'definition.set', name: 't', plugin: 'command/command' });
    await ann({ verb: 'definition.add', path: '/c/t' });
    await expect(ann({ verb: 'definition.set', name: 't', plugin: 'echo' })).rejects.toMatchObject({
      code: 'registry-invalid',
      message: '“t” is ambiguous: /a/t, /c/t; give the path',
    });
    await ann({ verb: 'definition.set', name: '/c/t', plugin: 'echo', path: '/c/u' });
    expect((await ann({ verb: 'definition.list' })).rows).toMatchObject([
      { path: '/a/t', plugin: 'command/command' },
      { path: '/c/u', plugin: 'echo' },
    ]);
    await expect(ann({ verb: 'definition.delete', name: 'a' })).rejects.toMatchObject({ code: 'registry-not-found' });
  });

  it('a trigger needs a service: its team’s, or a public one', async () => {
    await ann({ verb: 'worker.add', identity: 'w' });
    await ann({ verb: 'service.add', name: 's' });
    await ann({ verb: 'definition.add', path: '/a/t', service: 'team1/s' });
    expect((await ann({ verb: 'definition.list' })).rows).toMatchObject([{ service: 's' }]);
    await expect(ann({ verb: 'service.delete', name: 's' })).rejects.toMatchObject({ code: 'registry-in-use' });
    await expect(ann({ verb: 'definition.set', name: 't', service: 'w' })).rejects.toMatchObject({
      code: 'registry-invalid',
      message: '“w” is a worker; name a service',
    });
    await world.asRoot({ verb: 'team.add', name: 'team2' });
    await world.asRoot({ verb: 'service.add', team: 'team2', name: 'api' });
    const useIt = () => ann({ verb: 'definition.set', name: 't', service: 'team2/api' });
    await expect(useIt()).rejects.toMatchObject({ message: 'there is no service “team2/api”' });
    await world.asRoot({ verb: 'service.set', team: 'team2', name: 'api', visibility: 'public' });
    expect((await useIt()).rows).toMatchObject([{ service: 'team2/api' }]);
    expect((await ann({ verb: 'definition.set', name: 't', service: null })).rows).toMatchObject([{ service: null }]);
  });

  it('a trigger has settings with defaults, and arguments that are merged', async () => {
    expect((await ann({ verb: 'definition.add', path: '/a/t', args: { x: '1', y: '2' } })).rows).toMatchObject([
      {
        framing: 'write',
        delivery: 'async',
        durable: true,
        max_message: 1_048_576,
        mode: '0644',
        timeout: null,
        deadline: null,
        partial: null,
      },
    ]);
    const changed = {
      framing: 'line',
      delivery: 'sync',
      durable: false,
      timeout_ms: 5_000,
      deadline_ms: 5_400_000,
      partial: 'drop',
      args: { y: null, z: '3' },
    };
    expect((await ann({ verb: 'definition.set', name: 't', ...changed })).rows).toMatchObject([
      {
        ...{ framing: 'line', delivery: 'sync', durable: false, timeout: '5s', deadline: '1h30m', partial: 'drop' },
        args: { x: '1', z: '3' },
      },
    ]);
  });

  it('the tree is sent again only when something in it, or in the team, has changed', async () => {
    await ann({ verb: 'definition.add', path: '/a/t' });
    const asked = (verb: string, seen: string) =>
      world.registry.execute({ kind: 'user', identity: 'ann', team: 'team1' }, { verb, team: 'team1' }, seen);
    const { revision = '', rows, unchanged } = await asked('directory.list', '');
    expect([rows.length, unchanged]).toEqual([3, undefined]);
    const same = { rows: [], notices: [], revision, unchanged: true };
    expect(await asked('directory.list', revision)).toEqual({ kind: 'directory', ...same });
    expect(await asked('definition.list', revision)).toEqual({ kind: 'definition', ...same });
    const key = registryKeysBelow('/trigger').hits('team1', 4, 'web01');
    await world.store.commit({ compare: [], write: [{ put: key, value: serializeHits(3) }] });
    expect(await asked('definition.list', revision)).toMatchObject({ unchanged: true });
    await ann({ verb: 'definition.set', name: 't', mode: 0o600 });
    const next = await asked('definition.list', revision);
    expect(next).toMatchObject({ rows: [{ hits: 3, mode: '0600' }] });
    expect([next.unchanged, next.revision === revision]).toEqual([undefined, false]);
    await world.asRoot({ verb: 'team.set', name: 'team1', description: 'ours' });
    expect((await asked('definition.list', next.revision ?? '')).unchanged).toBeUndefined();
    expect(await asked('service.list', revision)).toEqual({ kind: 'service', rows: [], notices: [] });
    expect(await ann({ verb: 'directory.list' })).not.toHaveProperty('revision');
  });

  it('a tree that has not changed is reported as such to its own reader only', async () => {
    const { revision = '' } = await world.registry.execute(
      { kind: 'user', identity: 'ann', team: 'team1' },
      { verb: 'directory.list', team: 'team1' },
      '',
    );
    await world.asRoot({ verb: 'user.add', identity: 'bob', secret: 'a long password' });
    await ann({ verb: 'team.remove', identity: 'bob' });
    for (const identity of ['bob', 'zoe'])
      await expect(
        world.registry.execute(
          { kind: 'user', identity, team: 'team1' },
          { verb: 'directory.list', team: 'team1' },
          revision,
        ),
      ).rejects.toMatchObject({ code: 'registry-not-found' });
  });

  it('a trigger’s hits are the sum of all nodes’ counts, and end with the trigger', async () => {
    const keys = registryKeysBelow('/trigger');
    await ann({ verb: 'definition.add', path: '/a/t' });
    const [row] = (await ann({ verb: 'definition.list' })).rows as { id: number; hits: number }[];
    expect(row?.hits).toBe(0);
    const write = [
      { put: keys.hits('team1', row?.id ?? 0, 'web01'), value: serializeHits(3) },
      { put: keys.hits('team1', row?.id ?? 0, 'web02'), value: serializeHits(4) },
    ];
    await world.store.commit({ compare: [], write });
    expect((await ann({ verb: 'definition.list' })).rows).toMatchObject([{ hits: 7 }]);
    await ann({ verb: 'definition.delete', name: 't' });
    expect(await world.store.count(keys.allHits('team1'))).toBe(0);
  });

  it('a hit changes the time of its trigger, which an earlier change does not set back', async () => {
    const keys = registryKeysBelow('/trigger');
    await ann({ verb: 'definition.add', path: '/a/t' });
    type Row = { readonly id: number; readonly created: string; readonly updated: string };
    const row = async () => (await ann({ verb: 'definition.list' })).rows[0] as unknown as Row;
    const { id, created, updated } = await row();
    expect(updated).toBe(created);
    const hit = async (node: string, lastAt: number | undefined) => {
      const value = serializeHits(1, lastAt === undefined ? undefined : new Date(lastAt).toISOString());
      await world.store.commit({ compare: [], write: [{ put: keys.hits('team1', id, node), value }] });
      return Date.parse((await row()).updated) - Date.parse(created);
    };
    expect(await hit('of.a.release.before', undefined)).toBe(0);
    expect(await hit('web01', Date.parse(created) + 5_000)).toBe(5_000);
    expect(await hit('web02', Date.parse(created) + 3_000)).toBe(5_000);
    expect((await row()).created).toBe(created);
  });

  it('a mount without etcd counts its own hits on what its user sees, and on nobody else’s', async () => {
    for (const identity of ['bob', 'eve'])
      await ann({ verb: 'user.add', identity, secret: 'correct horse battery', role: 'member' });
    const [bob, eve] = [world.as('bob'), world.as('eve')];
    await bob({ verb: 'definition.add', path: '/a/hidden' });
    await bob({ verb: 'definition.add', path: '/a/shown', visibility: 'team' });
    const hits = async () => (await bob({ verb: 'definition.list' })).rows.map((row) => (row as { hits: number }).hits);
    const [hidden, shown] = (await bob({ verb: 'definition.list' })).rows as { id: number }[];
    const count = (n: number) => ({
      verb: 'definition.count',
      counter: '01HZZZZZZZZZZZZZZZZZZZZZZZ',
      hits: { [hidden?.id ?? 0]: n, [shown?.id ?? 0]: n, 4711: n },
    });
    await bob(count(2));
    expect(await hits()).toEqual([2, 2]);
    await bob(count(3));
    expect(await hits()).toEqual([3, 3]);
    await eve(count(10));
    expect(await hits()).toEqual([3, 13]);
  });

  it('a trigger has a bounded number of counters, and known ones continue', async () => {
    await ann({ verb: 'definition.add', path: '/a/t' });
    const [{ id } = { id: 0 }] = (await ann({ verb: 'definition.list' })).rows as { id: number }[];
    const keys = registryKeysBelow('/trigger');
    for (let n = 1; n < 1_000; n++)
      await world.store.commit({
        compare: [],
        write: [{ put: keys.hits('team1', id, `node${n}`), value: serializeHits(1) }],
      });
    const count = (counter: string, n: number) => ann({ verb: 'definition.count', counter, hits: { [id]: n } });
    await count('01HZZZZZZZZZZZZZZZZZZZZZZA', 1);
    expect((await count('01HZZZZZZZZZZZZZZZZZZZZZZB', 1)).rows).toEqual([]);
    await count('01HZZZZZZZZZZZZZZZZZZZZZZA', 5);
    expect((await ann({ verb: 'definition.list' })).rows).toMatchObject([{ hits: 1_004 }]);
  });
});
