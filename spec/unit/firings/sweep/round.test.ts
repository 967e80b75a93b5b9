import { beforeEach, describe, expect, it } from 'vitest';
import { TriggerdError } from '../../../../src/domain/errors.ts';
import { firstFiringIdAt, type WholeFiring } from '../../../../src/domain/firing.ts';
import { firingStatus } from '../../../../src/firings/follow/follow-firing.ts';
import { publishFiring } from '../../../../src/firings/publish/publish.ts';
import type { RoundOptions } from '../../../../src/firings/sweep/part.ts';
import { Round } from '../../../../src/firings/sweep/round.ts';
import { serializeInboxEntry } from '../../../../src/firings/wire/firing.ts';
import { FenceLost } from '../../../../src/store/election.ts';
import { MemoryStore } from '../../../support/memory-store.ts';
import type { recordingLog } from '../../../support/recording-log.ts';
import { finish, keys, roundOptions, say, winElection } from '../../../support/sweeping.ts';
import { until } from '../../../support/wait.ts';
import { someFiring } from '../../../support/watch-room.ts';

const past = '2026-01-01T00:00:00.000Z';
const nodes = (count: number) => Array.from({ length: count }, (_, index) => `node${index}`);

describe('a round of the sweeper', () => {
  let store: MemoryStore;
  let options: RoundOptions;
  const rounds = (more: Partial<RoundOptions> = {}) => new Round({ ...options, ...more });
  const publish = async (fields: Partial<WholeFiring> = {}): Promise<WholeFiring> => {
    const firing = someFiring(fields);
    await publishFiring({ store, keys }, firing);
    return firing;
  };
  const stages = async ({ id }: WholeFiring) =>
    Object.fromEntries(
      (await firingStatus({ store, keys }, id)).outcomes.map(({ node, stage, reason }) => [node, reason ?? stage]),
    );

  beforeEach(async () => {
    store = new MemoryStore();
    options = roundOptions(store, (await winElection(store)).election);
  });

  it('the sweeper records the expiry for every node that owes and does not run a firing', async () => {
    const firing = await publish({ targets: ['owes', 'queued', 'deferred', 'runs', 'done'], expiresAt: past });
    for (const stage of ['queued', 'deferred'] as const) await say(options, firing.id, stage, stage);
    await say(options, firing.id, 'runs', 'running');
    await finish(options, firing.id, 'done');
    await rounds().make();
    expect(await stages(firing)).toEqual({
      owes: 'expired',
      queued: 'expired',
      deferred: 'expired',
      runs: 'running',
      done: 'finished',
    });
    expect(await store.count(keys.allInboxes)).toBe(1);
    const { outcomes } = await firingStatus(options, firing.id);
    expect(outcomes[1]).toMatchObject({ stage: 'skipped', jobId: 7, queuedAt: 1 });
  });

  it('the sweeper deletes pages of requests by the age of their IDs, in all teams, and keeps what is no page', async () => {
    const day = 86_400_000;
    const page = (team: string, age: number) => `${keys.histories}${team}/${firstFiringIdAt(Date.now() - age)}.100`;
    const [old, young] = [
      [page('team1', 8 * day), page('team2', 30 * day)],
      [page('team1', 6 * day), page('team2', 0)],
    ];
    const strange = `${keys.histories}team1/readme`;
    for (const key of [...old, ...young, strange])
      await store.commit({ compare: [], write: [{ put: key, value: '{}' }] });
    await rounds({ requestsMaxAgeMs: 7 * day }).make();
    const { entries } = await store.list(keys.histories);
    expect(entries.map(({ key }) => key).sort()).toEqual([...young, strange].sort());
  });

  it('the sweeper deletes the oldest pages of all teams, when all together are too large', async () => {
    const page = (team: string, age: number, bytes: number) =>
      `${keys.histories}${team}/${firstFiringIdAt(Date.now() - age)}.${bytes}`;
    const [oldest, older] = [page('team2', 4_000, 500), page('team1', 3_000, 400)];
    const young = [page('team2', 2_000, 300), page('team1', 1_000, 600)];
    for (const key of [...young, oldest, older])
      await store.commit({ compare: [], write: [{ put: key, value: '{}' }] });
    await rounds({ requestsSize: 1_800 }).make();
    expect(await store.count(keys.histories)).toBe(4);
    await rounds({ requestsSize: 1_000 }).make();
    expect((await store.list(keys.histories)).entries.map(({ key }) => key).sort()).toEqual(young.sort());
  });

  it('the sweeper leaves a firing that has not expired alone, and logs nothing when it did nothing', async () => {
    const firing = await publish({ expiresAt: '2999-01-01T00:00:00.000Z' });
    await publish();
    const { revision } = await store.list('');
    expect(await rounds().make()).toEqual({ isComplete: true });
    expect((await store.list('')).revision).toBe(revision);
    expect(await stages(firing)).toEqual({ 'lb01.example.com': 'owed' });
    expect((options.log as ReturnType<typeof recordingLog>).lines).toEqual([]);
  });

  it('the sweeper expires one firing for many targets, over several transactions', async () => {
    const firing = await publish({ targets: nodes(2_500), expiresAt: past });
    await say(options, firing.id, 'node77', 'queued');
    await rounds().make();
    expect(await store.count(keys.allInboxes)).toBe(0);
    expect(new Set(Object.values(await stages(firing)))).toEqual(new Set(['expired']));
  });

  it('the sweeper keeps an old firing that ends at the moment of the check', async () => {
    const id = `${firstFiringIdAt(Date.parse('2020-01-01')).slice(0, 10)}0000000000000000`;
    const firing = await publish({ id, targets: ['lb01'] });
    const list = store.list.bind(store);
    store.list = async (prefix) => {
      const before = await list(prefix);
      if (prefix === keys.outcomes(id)) await finish(options, id, 'lb01');
      return before;
    };
    await rounds().make();
    await finish(options, id, 'lb01');
    await rounds().make();
    expect(await stages(firing)).toEqual({ lb01: 'finished' });
  });

  it('the sweeper expires a firing while its node starts the job at the same moment', async () => {
    const firing = await publish({ targets: ['lb01', 'lb02'], expiresAt: past });
    let started = false;
    store.beforeCommit = ({ write }) => {
      if (started || write.length === 0) return;
      started = true;
      void say(options, firing.id, 'lb01', 'running');
    };
    await rounds().make();
    expect(await stages(firing)).toEqual({ lb01: 'running', lb02: 'expired' });
  });

  describe('with abandoned publications', () => {
    const begin = async (targets: string[]): Promise<WholeFiring> => {
      const firing = someFiring({ targets });
      let commits = 0;
      store.beforeCommit = () => {
        if (++commits > 3) throw new Error('the publisher has died');
      };
      await publishFiring({ store, keys }, firing).catch(() => undefined);
      store.beforeCommit = undefined;
      return firing;
    };
    const left = async () =>
      (await store.list('/trigger/v1/')).entries.filter(({ key }) => !key.includes('/elections/'));
    const isGone = async () => (await left()).length === 0;

    it('the sweeper deletes an abandoned publication’s marker, list and entries when they have not changed for long enough', async () => {
      const { id } = await begin(nodes(300));
      expect(await store.get(keys.targets(id))).toBeDefined();
      expect(await store.count(keys.allInboxes)).toBeGreaterThan(0);
      const round = rounds({ abandonedMs: 30 });
      await round.make();
      expect(await isGone()).toBe(false);
      await until(async () => (await round.make()) && (await isGone()), 'marker, list and entries to go');
    });

    it('the sweeper never deletes entries whose marker exists', async () => {
      const firing = await begin(nodes(300));
      const round = rounds({ abandonedMs: 0 });
      await store.commit({ compare: [], write: [{ put: keys.publishing(firing.id), value: 'changed' }] });
      const entries = await store.count(keys.allInboxes);
      store.beforeCommit = ({ write }) => {
        const [first] = write;
        if (first && 'delete' in first && first.delete.includes('/publishing/')) throw new Error('no, the entries');
      };
      await expect(round.make()).rejects.toThrow('no, the entries');
      expect(await store.count(keys.allInboxes)).toBe(entries);
    });

    it('the sweeper lets a slow publisher start again', async () => {
      const firing = someFiring({ targets: nodes(300) });
      const round = rounds({ abandonedMs: 0 });
      let swept: Promise<unknown> | undefined;
      store.beforeCommit = ({ write }) => {
        if (swept === undefined && write.length === 100) swept = round.make().then(() => round.make());
      };
      await publishFiring({ store, keys }, firing);
      await swept;
      await round.make();
      expect(await store.count(keys.allInboxes)).toBe(300);
      expect(Object.values(await stages(firing))).toHaveLength(300);
    });

    it('the sweeper deletes a single abandoned entry, and no foreign key', async () => {
      const { id } = someFiring();
      const foreign = `${keys.allInboxes}lb01/deeper/${id}`;
      const write = [keys.inbox('lb01', id), foreign].map((put) => ({ put, value: serializeInboxEntry(id) }));
      await store.commit({ compare: [], write });
      await rounds({ abandonedMs: 0 }).make();
      expect((await store.list(keys.allInboxes)).entries.map(({ key }) => key)).toEqual([foreign]);
    });
  });

  describe('with firings that have ended', () => {
    const now = Date.parse('2026-11-20T12:00:00.000Z');
    const day = 86_400_000;
    const clock = { now: () => now };
    const idAt = (at: number, index: number) => firstFiringIdAt(at).slice(0, 20) + String(index).padStart(6, '0');
    const publishAt = (at: number, index = 0, targets = ['lb01']) => publish({ id: idAt(at, index), targets });
    const left = async () => (await store.list(keys.firings)).entries.map(({ key }) => key.split('/').at(-1));

    it('the sweeper deletes firings that ended long ago, with their outcomes', async () => {
      const [old, late, owed, young] = [
        await publishAt(now - 40 * day, 1),
        await publishAt(now - 40 * day, 2),
        await publishAt(now - 40 * day, 3),
        await publishAt(now - day, 4),
      ];
      await finish(options, old.id, 'lb01', now - 39 * day);
      await finish(options, late.id, 'lb01', now - day);
      await finish(options, young.id, 'lb01', now - day);
      await rounds({ clock }).make();
      expect(await left()).toEqual([late.id, owed.id, young.id]);
      expect((await store.list(keys.outcomes(old.id))).entries).toEqual([]);
    });

    it('the sweeper keeps the newest firings, in etcd’s order', async () => {
      // The publisher's clock goes backwards.
      const firings = [];
      for (let index = 0; index < 30; index++) firings.push(await publishAt(now - index * 1_000, index));
      for (const { id } of firings) await finish(options, id, 'lb01', now);
      await rounds({ clock, firingsKept: 10 }).make();
      expect((await left()).toSorted()).toEqual(
        firings
          .slice(20)
          .map(({ id }) => id)
          .toSorted(),
      );
    });

    it('the sweeper never deletes an owed firing, and continues after it', async () => {
      const owed = [];
      for (let index = 0; index < 20; index++) owed.push((await publishAt(now - day, index)).id);
      const round = rounds({ clock, firingsKept: 20 });
      for (let index = 20; index < 40; index++) {
        const { id } = await publishAt(now - day, index);
        await finish(options, id, 'lb01', now);
      }
      await until(async () => (await round.make()) && (await left()).length === 20, 'the others to go');
      expect(await left()).toEqual(owed);
    });

    it('the sweeper checks many targets in several transactions', async () => {
      const firing = await publishAt(now - 40 * day, 1, nodes(250));
      for (const node of nodes(249)) await finish(options, firing.id, node, now - 39 * day);
      await rounds({ clock }).make();
      expect(await left()).toEqual([firing.id]);
      await finish(options, firing.id, 'node249', now - 39 * day);
      await rounds({ clock }).make();
      expect(await store.count(keys.outcomes(firing.id))).toBe(0);
      expect(await store.get(keys.targets(firing.id))).toBeUndefined();
      expect(await left()).toEqual([]);
    });

    it('a round of the sweeper bounds the number of keys under churn', async () => {
      const round = rounds({ clock, firingsKept: 50 });
      let most = 0;
      for (let index = 0; index < 2_000; index++) {
        const { id } = await publishAt(now + index, index);
        await finish(options, id, 'lb01', now);
        if (index % 50 === 49) await round.make();
        most = Math.max(most, await store.count('/trigger/'));
      }
      expect(most).toBeLessThan(250);
      expect(await store.count(keys.firings)).toBe(50);
    });
  });

  it('the sweeper deletes ended firings although etcd is too full for new entries', async () => {
    await publish({ expiresAt: past });
    const { id } = await publish();
    await finish(options, id, 'lb01.example.com', 1);
    const full = new TriggerdError('etcd-no-space', 'mvcc: database space exceeded');
    store.beforeCommit = ({ write }) => {
      if (write.some((each) => 'put' in each)) throw full;
    };
    await expect(rounds({ firingsKept: 0 }).make()).rejects.toBe(full);
    expect(await store.get(keys.firing(id))).toBeUndefined();
  });

  it.each(['notices that', 'is refused by etcd when it does not notice that'])(
    'the sweeper %s another one is elected, and writes nothing',
    async (how) => {
      const firing = await publish({ expiresAt: past });
      const round = rounds();
      store.endLease(keys.election('sweeper'), how !== 'notices that');
      await winElection(store);
      const { revision } = await store.list('');
      await expect(round.make()).rejects.toThrow(FenceLost);
      expect((await store.list('')).revision).toBe(revision);
      expect(await stages(firing)).toEqual({ 'lb01.example.com': 'owed' });
    },
  );

  it('the sweeper writes nothing with an old token when another one is elected in the middle of a round', async () => {
    const firing = await publish({ targets: nodes(300), expiresAt: past });
    let taken = false;
    store.beforeCommit = ({ write }) => {
      if (taken || write.length === 0) return;
      taken = true;
      store.endLease(keys.election('sweeper'), true);
      void winElection(store);
    };
    await expect(rounds().make()).rejects.toThrow(FenceLost);
    expect(new Set(Object.values(await stages(firing)))).toEqual(new Set(['owed']));
  });
});
