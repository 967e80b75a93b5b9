import { describe, expect, it } from 'vitest';
import { TriggerdError } from '../../../src/domain/errors.ts';
import { defaultLimits } from '../../../src/registry/bounds.ts';
import type { Answer } from '../../../src/registry/statements.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { local, openRegistry, password, type TestRegistryOptions } from '../../support/registry.ts';

const world = async (options: Partial<TestRegistryOptions> = {}, store = new MemoryStore()) => {
  let now = 0;
  const registry = openRegistry({ store, prefix: '/trigger', monotonic: () => now, ...options });
  if ((await store.get('/trigger/v1/registry/installation')) === undefined)
    await registry.initialise({ team: 'team1', identity: 'ann', secret: password });
  const by = (identity: string, team: string) => (statement: object) =>
    registry.execute({ kind: 'user', identity, team }, { team, ...statement });
  return {
    ...{ store, registry, by },
    ann: by('ann', 'team1'),
    root: (statement: object) => registry.execute(local, { team: 'team1', ...statement }),
    pass: (ms: number) => {
      now += ms;
    },
  };
};
const codeOf = (asked: Promise<Answer>): Promise<string | undefined> =>
  asked.then(
    () => undefined,
    (error: unknown) => (error instanceof TriggerdError ? error.code : String(error)),
  );
const directory = (name: string) => ({ verb: 'directory.add', path: `/${name}` });
const few = { ...defaultLimits, changes: 3 };

describe('changes of a user', () => {
  it('changes of a user have a maximum in a minute, and the refusal says when the next one is accepted', async () => {
    const { ann, pass } = await world({ limits: few });
    for (const name of ['a', 'b', 'c']) await ann(directory(name));
    const refused = await ann(directory('d')).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'too-many-changes', details: { retry_after_ms: 20_000 } });
    expect(String(refused)).toContain('try again in 20 s');
    pass(19_000);
    expect(await codeOf(ann(directory('d')))).toBe('too-many-changes');
    pass(1_000);
    expect(await codeOf(ann(directory('d')))).toBeUndefined();
  });

  it('changes of a user count in all their teams together', async () => {
    const { registry, by, ann } = await world({ limits: few });
    await registry.execute({ kind: 'user', identity: 'ann', team: 'team1' }, { verb: 'team.add', name: 'team2' });
    await by('ann', 'team2')(directory('a'));
    await ann(directory('b'));
    expect(await codeOf(ann(directory('c')))).toBe('too-many-changes');
    expect(await codeOf(by('ann', 'team2')(directory('c')))).toBe('too-many-changes');
  });

  it('changes of a user count when they fail, and not when rules refuse them or nothing changes', async () => {
    const { ann, store } = await world({ limits: few });
    for (let count = 0; count < 10; count++) await ann({ verb: 'directory.list' });
    for (let count = 0; count < 10; count++)
      expect(await codeOf(ann({ verb: 'directory.delete', path: '/none' }))).toBe('registry-not-found');
    store.beforeCommit = () => {
      throw new TriggerdError('etcd-unreachable', 'away');
    };
    for (const name of ['a', 'b', 'c']) expect(await codeOf(ann(directory(name)))).toBe('etcd-unreachable');
    store.beforeCommit = undefined;
    expect(await codeOf(ann(directory('d')))).toBe('too-many-changes');
  });

  it('changes of a user are bounded by their bytes: a large one is made, and its debt delays the next', async () => {
    const { ann, pass } = await world({ limits: { ...defaultLimits, changeBytes: 6_000 } });
    await ann(directory('a'));
    await ann({ verb: 'definition.add', path: '/a/one', args: { x: 'x'.repeat(4_000), y: 'y'.repeat(4_000) } });
    expect(await codeOf(ann(directory('b')))).toBe('too-many-changes');
    pass(60_000);
    expect(await codeOf(ann(directory('b')))).toBeUndefined();
  });

  it('changes of one user do not count for another one, nor for root', async () => {
    const { by, ann, root } = await world({ limits: few });
    await root({ verb: 'user.add', identity: 'bob', secret: password });
    for (const name of ['a', 'b', 'c']) await ann(directory(name));
    expect(await codeOf(ann(directory('d')))).toBe('too-many-changes');
    await by('bob', 'team1')(directory('d'));
    for (let count = 0; count < 10; count++) await root(directory(`r${count}`));
  });

  it('changes by hits have their own limit, and known hits are not written', async () => {
    const { ann, store } = await world({ limits: few });
    await ann(directory('a'));
    const { rows } = await ann({ verb: 'definition.add', path: '/a/one' });
    const { id } = rows[0] as { id: number };
    const count = (hits: number) =>
      ann({ verb: 'definition.count', counter: '01ARZ3NDEKTSV4RRFFQ69G5FAV', hits: { [id]: hits } });
    for (let hits = 1; hits <= 3; hits++) await count(hits);
    const { revision } = await store.list('/');
    await count(3);
    expect((await store.list('/')).revision).toBe(revision);
    expect(await codeOf(count(4))).toBe('too-many-changes');
    await ann(directory('b'));
  });
});

describe('sizes', () => {
  it('a definition’s arguments are bounded; an earlier, larger one can shrink, and change otherwise', async () => {
    const store = new MemoryStore();
    const before = await world({ limits: { ...defaultLimits, argumentBytes: 1_000_000 } }, store);
    await before.ann(directory('a'));
    const large = Object.fromEntries(['x', 'y', 'z', 'w', 'v'].map((name) => [name, name.repeat(4_000)]));
    await before.ann({ verb: 'definition.add', path: '/a/one', args: large });

    const { ann } = await world({}, store);
    const set = (changes: object) => codeOf(ann({ verb: 'definition.set', name: '/a/one', ...changes }));
    expect(await set({ description: 'still here' })).toBeUndefined();
    expect(await set({ args: { more: 'm' } })).toBe('registry-invalid');
    expect(await set({ args: { x: 'y'.repeat(4_000) } })).toBe('registry-invalid');
    expect(await set({ args: { x: null } })).toBeUndefined();
    expect(await set({ args: { x: 'x'.repeat(4_000) } })).toBe('registry-invalid');
    expect(await codeOf(ann({ verb: 'definition.add', path: '/a/two', args: large }))).toBe('registry-invalid');
  });

  it('a team’s size is bounded for root, too; what exists stays, may shrink and may be deleted', async () => {
    const store = new MemoryStore();
    const before = await world({}, store);
    await before.ann(directory('a'));
    const args = { x: 'x'.repeat(3_000) };
    for (let count = 0; count < 4; count++) await before.ann({ verb: 'definition.add', path: `/a/d${count}`, args });
    const { rows } = await before.ann({ verb: 'worker.add', identity: 'w1' });
    expect(rows).toHaveLength(1);

    const { ann, root } = await world({ limits: { ...defaultLimits, teamBytes: 10_000 } }, store);
    expect(await codeOf(ann(directory('b')))).toBe('team-full');
    expect(await codeOf(root(directory('b')))).toBe('team-full');
    expect((await ann({ verb: 'definition.list' })).rows).toHaveLength(4);
    await ann({ verb: 'worker.rotate', identity: 'w1' });
    await ann({ verb: 'definition.set', name: '/a/d0', args: { x: 'x' } });
    for (let count = 1; count < 4; count++) await ann({ verb: 'definition.delete', name: `/a/d${count}` });
    expect(await codeOf(ann(directory('b')))).toBeUndefined();
  });

  it('a team’s size includes the hits of its triggers', async () => {
    const { ann } = await world({ limits: { ...defaultLimits, teamBytes: 5_000 } });
    await ann(directory('a'));
    const { rows } = await ann({ verb: 'definition.add', path: '/a/one' });
    const { id } = rows[0] as { id: number };
    const codes: (string | undefined)[] = [];
    for (let count = 10; count < 99; count++)
      codes.push(
        await codeOf(
          ann({ verb: 'definition.count', counter: `01ARZ3NDEKTSV4RRFFQ69G5F${count}`, hits: { [id]: count } }),
        ),
      );
    expect(codes[0]).toBeUndefined();
    expect(codes.at(-1)).toBe('team-full');
  });
});

it('the registry still deletes and disables users where etcd is nearly full', async () => {
  const full = async () => {
    throw new TriggerdError('etcd-nearly-full', 'full');
  };
  const store = new MemoryStore();
  const before = await world({}, store);
  await before.root({ verb: 'user.add', identity: 'bob', secret: password });
  await before.ann({ verb: 'worker.add', identity: 'w1' });
  await before.ann(directory('a'));
  const { ann } = await world({ assertSpace: full }, store);
  expect(await codeOf(ann(directory('b')))).toBe('etcd-nearly-full');
  expect(await codeOf(ann({ verb: 'directory.set', path: '/a', to: '/b' }))).toBe('etcd-nearly-full');
  await ann({ verb: 'directory.delete', path: '/a' });
  await ann({ verb: 'worker.rotate', identity: 'w1' });
  await ann({ verb: 'user.revoke', identity: 'bob' });
  await ann({ verb: 'user.set', identity: 'bob', disabled: true });
  await ann({ verb: 'team.remove', identity: 'bob' });
});
