import { beforeEach, describe, expect, it } from 'vitest';
import { TriggerdError } from '../../../../src/domain/errors.ts';
import { publishDocument, publishFiring } from '../../../../src/firings/publish/publish.ts';
import { serializeFiring } from '../../../../src/firings/wire/firing.ts';
import type { Transaction } from '../../../../src/store/key-store.ts';
import { keysBelow } from '../../../../src/store/keys.ts';
import firingBrief from '../../../fixtures/keyspace/firing-brief.json?raw';
import firingMany from '../../../fixtures/keyspace/firing-many.json?raw';
import earlyEntry from '../../../fixtures/keyspace/inbox-entry-early.json?raw';
import { MemoryStore } from '../../../support/memory-store.ts';
import { someFiring } from '../../../support/watch-room.ts';

const keys = keysBelow('/trigger');
const nodes = (count: number) => Array.from({ length: count }, (_, index) => `node${index}.example.com`);
const unreachable = new TriggerdError('etcd-unreachable', 'the answer was lost');

describe('publishFiring', () => {
  let store: MemoryStore;
  const commits: Transaction[] = [];

  beforeEach(() => {
    store = new MemoryStore();
    commits.length = 0;
    store.beforeCommit = (transaction) => void commits.push(transaction);
  });
  const writes = () => commits.filter(({ write }) => write.length > 0).length;
  const inboxes = async () => (await store.list('/trigger/v1/inbox/')).entries.length;

  it('publishFiring writes up to 126 targets in one transaction', async () => {
    await publishFiring({ store, keys }, someFiring({ targets: nodes(126) }));
    expect(writes()).toBe(1);
    expect(await inboxes()).toBe(126);
  });

  it('publishFiring writes more targets in chunks, and the firing last', async () => {
    const firing = someFiring({ targets: nodes(300) });
    await publishFiring({ store, keys }, firing);
    expect(writes()).toBe(6);
    expect(await inboxes()).toBe(300);
    const committed = await store.get(keys.firing(firing.id));
    const entry = await store.get(keys.inbox('node299.example.com', firing.id));
    expect(committed?.createRevision).toBeGreaterThan(entry?.createRevision ?? 0n);
    expect(await store.get(keys.publishing(firing.id))).toBeUndefined();
  });

  it('publishFiring keeps a long list of targets in a key of its own, which no target has to read', async () => {
    const { id } = await publishDocument({ store, keys }, firingMany);
    expect((await store.get(keys.targets(id)))?.value).toBe(firingMany);
    const brief = await store.get(keys.firing(id));
    expect(JSON.parse(brief?.value ?? '')).toEqual(JSON.parse(firingBrief));
    const entries = (await store.list(keys.allInboxes)).entries.map(({ value }) => JSON.parse(value));
    expect(entries).toEqual(Array(127).fill(JSON.parse(earlyEntry)));
  });

  it('publishFiring refuses a firing that is too large for etcd before it writes anything', async () => {
    const long = Array.from({ length: 10_000 }, (_, index) => `node${index}.${'x'.repeat(60)}.${'y'.repeat(60)}`);
    const error = await publishFiring({ store, keys }, someFiring({ targets: long })).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'input-invalid' });
    expect(error.message).toContain('larger than 1048576 bytes');
    expect(commits).toEqual([]);
  });

  it('publishFiring never writes among the entries of another firing whose publisher is at work', async () => {
    const firing = someFiring({ targets: nodes(300) });
    const other = serializeFiring({ ...firing, trigger: 'other' });
    const write = [
      { put: keys.publishing(firing.id), value: '{}' },
      { put: keys.targets(firing.id), value: other },
    ];
    await store.commit({ compare: [], write });
    await expect(publishFiring({ store, keys }, firing)).rejects.toMatchObject({ code: 'input-invalid' });
    expect(await inboxes()).toBe(0);
    expect((await store.get(keys.targets(firing.id)))?.value).toBe(other);
  });

  it.each([1, 300])('publishFiring recognizes its own firing after a lost answer (%i targets)', async (count) => {
    const firing = someFiring({ targets: nodes(count) });
    await publishFiring({ store, keys }, firing);
    const { revision } = await store.list('/');
    expect((await publishFiring({ store, keys }, firing)).id).toBe(firing.id);
    expect((await store.list('/')).revision).toBe(revision);
  });

  it('publishFiring lets two publishers of the same spooled firing both succeed', async () => {
    const firing = someFiring({ targets: nodes(300) });
    await Promise.all([publishFiring({ store, keys }, firing), publishFiring({ store, keys }, firing)]);
    expect(await inboxes()).toBe(300);
  });

  it.each([1, 300])('publishFiring refuses an ID that another firing has (%i targets)', async (count) => {
    const firing = someFiring({ targets: nodes(count) });
    await publishFiring({ store, keys }, firing);
    await expect(publishFiring({ store, keys }, { ...firing, trigger: 'other' })).rejects.toMatchObject({
      code: 'input-invalid',
    });
  });

  it('publishFiring refuses what every reader would call malformed', async () => {
    await expect(publishFiring({ store, keys }, someFiring({ targets: [] }))).rejects.toMatchObject({
      code: 'input-invalid',
    });
    expect(writes()).toBe(0);
  });

  it('publishFiring publishes a spooled document byte for byte, and recognizes it as its own', async () => {
    const firing = someFiring();
    const text = JSON.stringify({ ...JSON.parse(serializeFiring(firing)), newer: 'field' }, null, 1);
    await publishDocument({ store, keys }, text);
    await publishDocument({ store, keys }, text);
    expect((await store.get(keys.firing(firing.id)))?.value).toBe(text);
  });

  it('publishFiring starts again when a sweeper took the firing for abandoned', async () => {
    const firing = someFiring({ targets: nodes(300) });
    let swept = false;
    store.beforeCommit = ({ write }) => {
      if (swept || write.length !== 100) return;
      swept = true;
      const gone = [keys.publishing(firing.id), keys.targets(firing.id)].map((key) => ({ delete: key }));
      void MemoryStore.prototype.commit.call(store, { compare: [], write: gone });
    };
    await publishFiring({ store, keys }, firing);
    expect(await store.get(keys.firing(firing.id))).toBeDefined();
    expect((await store.get(keys.targets(firing.id)))?.value).toBe(serializeFiring(firing));
  });

  it('publishFiring writes nothing under the marker of a publisher that began after a sweep', async () => {
    const firing = someFiring({ targets: nodes(300) });
    const marker = keys.publishing(firing.id);
    const commit = (write: Transaction['write']) => MemoryStore.prototype.commit.call(store, { compare: [], write });
    let frozen = false;
    // We freeze behind our first chunk: a sweeper takes marker and entries away, another publisher sets a marker anew.
    store.beforeCommit = ({ write }) => {
      if (frozen || write.length !== 100) return;
      frozen = true;
      void commit([{ delete: marker }, { delete: keys.targets(firing.id) }]);
      void commit([{ put: marker, value: '{}' }]);
    };
    await publishFiring({ store, keys }, firing);
    const created = (await store.get(keys.firing(firing.id)))?.createRevision ?? 0n;
    const entries = (await store.list('/trigger/v1/inbox/')).entries;
    expect(entries.filter(({ createRevision }) => createRevision < created)).toHaveLength(300);
  });

  it('publishFiring reports an outage, and succeeds when called again', async () => {
    const firing = someFiring({ targets: nodes(300) });
    let calls = 0;
    store.beforeCommit = () => {
      if (++calls === 3) throw unreachable;
    };
    await expect(publishFiring({ store, keys }, firing)).rejects.toBe(unreachable);
    expect(await store.get(keys.firing(firing.id))).toBeUndefined();
    await publishFiring({ store, keys }, firing);
    expect(await store.get(keys.firing(firing.id))).toBeDefined();
  });

  it('publishFiring tells which targets have never been seen', async () => {
    await store.commit({ compare: [], write: [{ put: keys.member('node1.example.com'), value: '{}' }] });
    const { neverSeen } = await publishFiring({ store, keys }, someFiring({ targets: nodes(3) }));
    expect(neverSeen).toEqual(['node0.example.com', 'node2.example.com']);
  });
});
