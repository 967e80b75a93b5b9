import { beforeEach, describe, expect, it } from 'vitest';
import type { EtcdStore } from '../../../src/adapters/etcd/connect.ts';
import { TriggerdError } from '../../../src/domain/errors.ts';
import { registryKeysBelow } from '../../../src/registry/keys.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import type { KeyStore } from '../../../src/store/key-store.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { announced, type Random, seeded } from '../../support/random.ts';
import { local, openRegistry, password } from '../../support/registry.ts';
import { type EtcdPlace, test } from '../../support/test.ts';
import { until } from '../../support/wait.ts';

const clock = { now: () => Date.parse('2026-11-20T12:00:00Z') };
const writers = 6;
const statementsEach = 40;

/** A change that etcd has taken, and where it stands in the one order of all changes. */
interface Done {
  readonly revision: bigint;
  readonly statement: object;
}

describe('many writers at once, on a real etcd', () => {
  let etcd: EtcdPlace;
  let store: EtcdStore;
  let prefix: string;
  let runs = 0;

  test.beforeAll(async ({ etcd: place, store: shared }) => {
    etcd = place;
    store = shared;
  });
  beforeEach(async () => {
    prefix = `${etcd.prefix}/run${++runs}`;
    await openRegistry({ store, prefix, clock }).initialise({ team: 'team1', identity: 'hp', secret: password });
  });

  /** A registry of its own, like a daemon's, that does one statement after the other and notes what took effect. */
  const writer = async (seed: number, done: Done[], withMirror: boolean): Promise<void> => {
    const random = seeded(seed);
    let present: object = {};
    const noting = changed(store, {
      commit: async (transaction: Parameters<KeyStore['commit']>[0]) => {
        const committed = await store.commit(transaction);
        if (committed.succeeded) done.push({ revision: committed.revision, statement: present });
        return committed;
      },
    });
    const registry = openRegistry({ store: noting, prefix, clock });
    if (withMirror) registry.mirror.start();
    for (let count = 0; count < statementsEach; count++) {
      present = randomStatement(random);
      await unlessRefused(registry.execute(local, present));
    }
    await registry.mirror.stop();
  };

  it('many writers leave what some serial order of their changes leaves', async () => {
    const { seed } = announced('registry writers');
    const done: Done[] = [];
    await Promise.all(Array.from({ length: writers }, (_each, index) => writer(seed + index, done, index % 2 === 0)));
    // A test of nothing would pass.
    expect(done.length).toBeGreaterThan(writers * 5);
    expect(new Set(done.map(({ revision }) => revision)).size).toBe(done.length);

    const alone = new MemoryStore();
    const replay = openRegistry({ store: alone, prefix, clock });
    await replay.initialise({ team: 'team1', identity: 'hp', secret: password });
    for (const { statement } of done.sort((a, b) => Number(a.revision - b.revision)))
      await replay.execute(local, statement);
    expect(await recordsIn(store)).toEqual(await recordsIn(alone));
  });

  /** All records, but for what is random by nature. */
  const recordsIn = async (from: Pick<KeyStore, 'list'>): Promise<Record<string, unknown>> => {
    const { entries } = await from.list(registryKeysBelow(prefix).all);
    const records = entries
      .filter(({ key }) => !key.endsWith('/installation'))
      .map(({ key, value }): [string, unknown] => {
        const { token_hash: _token, commits: _commits, ...record } = JSON.parse(value) as Record<string, unknown>;
        return [key, record];
      });
    return Object.fromEntries(records);
  };

  it('many writers attach all their workers to one service, and none is lost', async () => {
    const registries = Array.from({ length: 5 }, () => openRegistry({ store, prefix, clock }));
    const run = (registry: Registry, statement: object) => registry.execute(local, { team: 'team1', ...statement });
    await run(registries[0] as Registry, { verb: 'service.add', name: 's' });
    const attach = async (registry: Registry, of: number) => {
      for (let count = 0; count < 8; count++) {
        const identity = `w${of}-${count}`;
        await run(registry, { verb: 'worker.add', identity });
        await run(registry, { verb: 'service.attach', name: 's', worker: identity });
      }
    };
    await Promise.all(registries.map(attach));
    const { rows } = await run(registries[0] as Registry, { verb: 'service.list' });
    expect((rows[0] as { workers: string[] }).workers).toHaveLength(40);
    const workers = (await run(registries[1] as Registry, { verb: 'worker.list' })).rows as { id: number }[];
    expect(workers.map(({ id }) => id)).toEqual(Array.from({ length: 40 }, (_each, index) => index + 1));
  });

  it('a team is not deleted while somebody else has just added to it', async () => {
    const other = openRegistry({ store, prefix, clock });
    await other.execute(local, { verb: 'team.add', name: 'ops' });
    let isFirst = true;
    const slow = changed(store, {
      commit: async (transaction: Parameters<KeyStore['commit']>[0]) => {
        if (isFirst) await other.execute(local, { verb: 'worker.add', team: 'ops', identity: 'w' });
        isFirst = false;
        return store.commit(transaction);
      },
    });
    const deleting = openRegistry({ store: slow, prefix, clock }).execute(local, { verb: 'team.delete', name: 'ops' });
    await expect(deleting).rejects.toMatchObject({ code: 'registry-in-use', message: 'ops still has worker w' });
  });

  /** A store whose watch never tells anything. */
  const deafStore = (): KeyStore =>
    changed(store, {
      watch: async function* (_prefix: string, from: bigint, signal: AbortSignal) {
        yield { events: [], revision: from - 1n };
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    });

  it('a change is visible to the next statement at any daemon, however late its watch is', async () => {
    const behind = openRegistry({ store: deafStore(), prefix, clock, catchUpMs: 50 });
    behind.mirror.start();
    await behind.mirror.ready;
    await openRegistry({ store, prefix, clock }).execute(local, { verb: 'worker.add', team: 'team1', identity: 'w' });
    expect((await behind.execute(local, { verb: 'worker.list', team: 'team1' })).rows).toMatchObject([
      { identity: 'w' },
    ]);
    await behind.mirror.stop();
  });

  it('a mirror whose watch is silent lists the registry at intervals', async () => {
    const { mirror } = openRegistry({ store: deafStore(), prefix, clock, relistMs: 50 });
    mirror.start();
    await mirror.ready;
    let changes = 0;
    mirror.onChange(() => changes++);
    await openRegistry({ store, prefix, clock }).execute(local, { verb: 'worker.add', team: 'team1', identity: 'w' });
    await until(() => mirror.state?.holdings('team1').workers.has('w'), 'the worker to be listed');
    await mirror.stop();
    // A listing that tells nothing new is no change.
    expect(changes).toBe(1);
  });

  it('a change whose answer was lost is recognized as made, neither repeated nor refused', async () => {
    let losses = 1;
    const lossy = changed(store, {
      commit: async (transaction: Parameters<KeyStore['commit']>[0]) => {
        const committed = await store.commit(transaction);
        // As etcd's client does after a lost answer: asks again.
        return losses-- > 0 ? store.commit(transaction) : committed;
      },
    });
    const registry = openRegistry({ store: lossy, prefix, clock });
    const { rows } = await registry.execute(local, { verb: 'worker.add', team: 'team1', identity: 'w' });
    expect(rows).toMatchObject([{ id: 1, identity: 'w' }]);
    expect((await registry.execute(local, { verb: 'worker.list', team: 'team1' })).rows).toHaveLength(1);
  });
});

/** The store, but for some of its calls. */
const changed = (store: KeyStore, changes: Partial<KeyStore>): KeyStore =>
  new Proxy(store, {
    get: (target, name) => {
      const member = Reflect.get(changes, name) ?? Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });

/** Few names, so that they meet. */
const randomStatement = (random: Random): object => {
  const one = (stem: string) => `${stem}${random.between(0, 3)}`;
  const path = () => `/${one('d')}${random.next() < 0.5 ? '' : `/${one('d')}`}`;
  const team = 'team1';
  const all = [
    () => ({ verb: 'worker.add', team, identity: one('w') }),
    () => ({ verb: 'worker.rotate', team, identity: one('w') }),
    () => ({ verb: 'worker.delete', team, identity: one('w') }),
    () => ({ verb: 'service.add', team, name: one('s'), visibility: 'public' }),
    () => ({ verb: 'service.set', team, name: one('s'), timeout_ms: random.between(1, 1_000) }),
    () => ({ verb: 'service.attach', team, name: one('s'), worker: one('w') }),
    () => ({ verb: 'service.detach', team, name: one('s'), worker: one('w') }),
    () => ({ verb: 'service.delete', team, name: one('s') }),
    () => ({ verb: 'directory.add', team, path: path() }),
    () => ({ verb: 'directory.set', team, path: path(), to: path() }),
    () => ({ verb: 'directory.delete', team, path: path() }),
    () => ({ verb: 'definition.add', team, path: `${path()}/${one('t')}`, service: one('s') }),
    () => ({ verb: 'definition.set', team, name: one('t'), path: `${path()}/${one('t')}` }),
    () => ({ verb: 'definition.delete', team, name: one('t') }),
    () => ({ verb: 'user.add', team, identity: one('u'), secret: password }),
    () => ({ verb: 'user.set', team, identity: one('u'), role: random.next() < 0.5 ? 'admin' : 'member' }),
    () => ({ verb: 'user.delete', team, identity: one('u') }),
  ];
  return random.pick(all)();
};

/** Most of what is asked at random cannot be done; anything else than that is a failure. */
const unlessRefused = async (work: Promise<unknown>): Promise<void> => {
  try {
    await work;
  } catch (error) {
    const isRefusal =
      error instanceof TriggerdError && /^registry-(?:invalid|not-found|exists|in-use)$/.test(error.code);
    if (!isRefusal) throw error;
  }
};
