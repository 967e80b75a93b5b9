import { beforeEach, describe, expect, it } from 'vitest';
import type { EtcdStore } from '../../../../src/adapters/etcd/connect.ts';
import { cancelFiring } from '../../../../src/firings/end/end-owed.ts';
import { forgetNode } from '../../../../src/firings/end/forget-node.ts';
import { firingStatus } from '../../../../src/firings/follow/follow-firing.ts';
import { publishFiring } from '../../../../src/firings/publish/publish.ts';
import { serializeInboxEntry } from '../../../../src/firings/wire/firing.ts';
import { type Keys, keysBelow } from '../../../../src/store/keys.ts';
import { finish, say } from '../../../support/sweeping.ts';
import { type EtcdPlace, test } from '../../../support/test.ts';
import { nextFiringId, someFiring } from '../../../support/watch-room.ts';

const by = 'alice@web01';

describe('ending very much on a real etcd', () => {
  let etcd: EtcdPlace;
  let store: EtcdStore;
  let keys: Keys;
  let run = 0;
  const place = () => ({ store, keys });

  test.beforeAll(async ({ etcd: place, store: shared }) => {
    etcd = place;
    store = shared;
  });
  beforeEach(() => {
    keys = keysBelow(`${etcd.prefix}/run${++run}`);
  });

  it('cancel ends one firing for 3,000 targets in every stage', async () => {
    const targets = Array.from({ length: 3_000 }, (_, index) => `node${index}`);
    const firing = someFiring({ targets });
    await publishFiring(place(), firing);
    for (const node of targets.slice(0, 20)) await say(place(), firing.id, node, 'queued');
    for (const node of targets.slice(20, 30)) await say(place(), firing.id, node, 'running');
    for (const node of targets.slice(30, 40)) await finish(place(), firing.id, node);
    const cancelled = await cancelFiring(place(), firing.id, { kill: false, by, at: 1 });
    const count = (did: string) => cancelled.filter((each) => each.did === did).length;
    expect([count('cancelled'), count('running'), count('ended')]).toEqual([2_980, 10, 10]);
    expect(cancelled.map(({ node }) => node)).toEqual(targets);
    expect(await store.count(keys.allInboxes)).toBe(10);
    const { outcomes } = await firingStatus(place(), firing.id);
    expect(outcomes.filter(({ reason }) => reason === `cancelled by ${by}`)).toHaveLength(2_980);
  });

  it('forget removes a node with an inbox of 2,500, and leaves foreign keys and other nodes alone', async () => {
    const ids = Array.from({ length: 2_500 }, nextFiringId);
    for (let from = 0; from < ids.length; from += 100) {
      const chunk = ids.slice(from, from + 100);
      const write = chunk.map((id) => ({ put: keys.inbox('gone', id), value: serializeInboxEntry(id) }));
      await store.commit({ compare: [], write });
    }
    const [first = ''] = ids;
    const others = [keys.inbox('gone2', first), `${keys.inboxes('gone')}foreign`, `${keys.inboxes('gone')}a/${first}`];
    const member = { put: keys.member('gone'), value: '{}' };
    await store.commit({ compare: [], write: [member, ...others.map((put) => ({ put, value: '{}' }))] });
    await say(place(), first, 'gone', 'running');
    expect(await forgetNode(place(), 'gone', { force: false, by, at: 1 })).toBe(2_500);
    expect((await store.list(keys.allInboxes)).entries.map(({ key }) => key).toSorted()).toEqual(others.toSorted());
    expect((await store.get(keys.outcome(first, 'gone')))?.value).toContain(`node forgotten by ${by}`);
    expect(await store.get(keys.member('gone'))).toBeUndefined();
  });
});
