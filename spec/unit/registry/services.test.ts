import { beforeEach, describe, expect, it } from 'vitest';
import { newWorld, type World } from '../../support/registry-world.ts';

describe('workers and services', () => {
  let world: World;
  let ann: ReturnType<World['as']>;

  beforeEach(async () => {
    world = await newWorld();
    ann = world.as('ann');
  });

  it('workers and services share their names, because a worker’s identity is a service', async () => {
    await ann({ verb: 'worker.add', identity: 'one' });
    await ann({ verb: 'service.add', name: 'two' });
    for (const statement of [
      { verb: 'worker.add', identity: 'one' },
      { verb: 'worker.add', identity: 'two' },
      { verb: 'service.add', name: 'one' },
      { verb: 'service.add', name: 'two' },
    ])
      await expect(ann(statement)).rejects.toMatchObject({ code: 'registry-exists' });
  });

  it('a worker is attached once, keeps its place in the order, and is not deleted while it is attached', async () => {
    await ann({ verb: 'service.add', name: 's', algorithm: 'serial' });
    for (const identity of ['b', 'a', 'c']) {
      await ann({ verb: 'worker.add', identity });
      await ann({ verb: 'service.attach', name: 's', worker: identity });
    }
    await expect(ann({ verb: 'service.attach', name: 's', worker: 'a' })).rejects.toMatchObject({
      code: 'registry-exists',
    });
    expect((await ann({ verb: 'service.list' })).rows).toMatchObject([{ workers: ['b', 'a', 'c'] }]);
    await expect(ann({ verb: 'worker.delete', identity: 'a' })).rejects.toMatchObject({
      code: 'registry-in-use',
      message: 'worker “a” is attached to s',
    });
    await ann({ verb: 'service.detach', name: 's', worker: 'a' });
    await ann({ verb: 'worker.delete', identity: 'a' });
    await expect(ann({ verb: 'service.detach', name: 's', worker: 'a' })).rejects.toMatchObject({
      code: 'registry-not-found',
    });
  });

  it('a service’s settings that are not named stay; null removes the timeout', async () => {
    await ann({ verb: 'service.add', name: 's', timeout_ms: 90_000, visibility: 'team', description: 'a service' });
    expect((await ann({ verb: 'service.set', name: 's', algorithm: 'mirror', retry: 'always' })).rows).toMatchObject([
      { timeout: '1m30s', visibility: 'team', description: 'a service', algorithm: 'mirror', retry: 'always' },
    ]);
    expect((await ann({ verb: 'service.set', name: 's', timeout_ms: null })).rows).toMatchObject([{ timeout: null }]);
  });

  it('a worker’s token is shown once when it is made; a new token is another one', async () => {
    const tokenOf = ({ rows }: { readonly rows: readonly object[] }) => (rows[0] as { token: string }).token;
    const first = tokenOf(await ann({ verb: 'worker.add', identity: 'w' }));
    const second = tokenOf(await ann({ verb: 'worker.rotate', identity: 'w' }));
    expect(second).toMatch(/^[0-9a-f-]{36}$/);
    expect(second).not.toBe(first);
    expect(tokenOf(await ann({ verb: 'worker.set', identity: 'w', description: 'x' }))).toBe('(hidden)');
    expect(tokenOf(await ann({ verb: 'worker.list' }))).toBe('(hidden)');
    expect(tokenOf(await ann({ verb: 'worker.delete', identity: 'w' }))).toBe('(hidden)');
  });

  it('an entry that root makes in a team belongs to the owner of the team', async () => {
    await world.asRoot({ verb: 'service.add', name: 's' });
    expect((await ann({ verb: 'service.list' })).rows).toMatchObject([{ owner: 'ann', visibility: 'local' }]);
  });

  it('a worker is online while a broker says so, and that changes its time', async () => {
    await ann({ verb: 'worker.add', identity: 'w' });
    const online = {
      format: 1,
      workers: { 'team1/w': { node: 'n', version: '1', since: '2999-01-01T00:00:00.000Z' } },
    };
    const put = { put: '/trigger/v1/online/broker01', value: JSON.stringify(online) };
    await world.store.commit({ compare: [], write: [put] });
    expect((await ann({ verb: 'worker.list' })).rows).toMatchObject([
      { state: 'ONLINE', updated: '2999-01-01T00:00:00.000Z' },
    ]);
    await world.store.commit({ compare: [], write: [{ delete: put.put }] });
    expect((await ann({ verb: 'worker.list' })).rows).toMatchObject([{ state: 'DISCONNECTED' }]);
  });
});
