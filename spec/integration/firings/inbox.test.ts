import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, type EtcdStore } from '../../../src/adapters/etcd/connect.ts';
import { TriggerdError } from '../../../src/domain/errors.ts';
import type { WholeFiring } from '../../../src/domain/firing.ts';
import { InboxWatcher, type InboxWatcherOptions } from '../../../src/firings/inbox/inbox-watcher.ts';
import { publishFiring } from '../../../src/firings/publish/publish.ts';
import { serializeFiring, serializeInboxEntry } from '../../../src/firings/wire/firing.ts';
import { parseOutcome } from '../../../src/firings/wire/outcome.ts';
import type { Write } from '../../../src/store/key-store.ts';
import { keysBelow } from '../../../src/store/keys.ts';
import { startEtcd, type TestEtcd } from '../../support/etcd.ts';
import { startProxy, type TcpProxy } from '../../support/proxy.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/wait.ts';
import { MemoryFirings, someFiring, someRequest } from '../../support/watch-room.ts';

const node = 'lb01.example.com';
const away = 'Cannot watch the inbox; retrying, and owed firings wait in etcd';

describe('the inbox watcher on a real etcd', () => {
  let etcd: TestEtcd;
  let proxy: TcpProxy;
  /** Straight to etcd. */
  let direct: EtcdStore;
  /** Through the proxy, as the watcher goes. */
  let store: EtcdStore;
  let firings: MemoryFirings;
  let log: ReturnType<typeof recordingLog>;
  let run = 0;
  let keys = keysBelow('/run0');
  const watchers: InboxWatcher[] = [];

  beforeAll(async () => {
    etcd = await startEtcd();
    proxy = await startProxy(etcd.ports.client);
    direct = connect({ endpoints: [etcd.endpoint], log: recordingLog() });
  });
  afterAll(async () => {
    await direct?.close();
    await proxy?.close();
    await etcd?.stop();
  });
  beforeEach(() => {
    keys = keysBelow(`/run${++run}`);
    firings = new MemoryFirings();
    log = recordingLog();
    store = connect({ endpoints: [`http://127.0.0.1:${proxy.port}`], log });
  });
  afterEach(async () => {
    proxy.accept();
    proxy.onAnswer(undefined);
    await Promise.all(watchers.splice(0).map((watcher) => watcher.stop()));
    await store.close();
  });

  const watch = (changes: Partial<InboxWatcherOptions> = {}): InboxWatcher => {
    const watcher = new InboxWatcher({
      store,
      keys,
      node,
      firings,
      intake: firings,
      decideJob: () => ({ request: someRequest }),
      outcomes: { publish: () => undefined, publishAgain: () => undefined, entryGone: () => undefined },
      clock: Date,
      log,
      ...changes,
    });
    watchers.push(watcher);
    watcher.start();
    return watcher;
  };
  const publish = async (changes: Partial<WholeFiring> = {}): Promise<string> =>
    (await publishFiring({ store: direct, keys }, someFiring(changes))).id;
  /** Many firings, quickly: several in one transaction. */
  const publishMany = async (count: number, size = 0): Promise<string[]> => {
    const all = Array.from({ length: count }, () => someFiring({ tags: ['x'.repeat(Math.min(size, 1_000))] }));
    const perCommit = size > 0 ? 20 : 60;
    for (let from = 0; from < all.length; from += perCommit) {
      const write = all.slice(from, from + perCommit).flatMap((firing): Write[] => [
        { put: keys.firing(firing.id), value: serializeFiring(firing) },
        { put: keys.inbox(node, firing.id), value: serializeInboxEntry(firing.id).padEnd(size, ' ') },
      ]);
      await direct.commit({ compare: [], write });
    }
    return all.map((firing) => firing.id);
  };
  const taken = (count: number) => until(() => firings.taken.length >= count, `${count} firings`);
  const outcomeOf = async (id: string) => {
    const entry = await until(() => direct.get(keys.outcome(id, node)), 'an outcome');
    return parseOutcome(entry.key, entry.value);
  };
  const compact = async () => {
    const { revision } = await direct.list(keys.firings);
    await fetch(`${etcd.endpoint}/v3/kv/compaction`, {
      method: 'POST',
      body: JSON.stringify({ revision: String(revision), physical: true }),
    });
  };

  it('the inbox watcher accepts what is owed at its start, and what arrives later, in order', async () => {
    const before = [await publish(), await publish()];
    await watch().ready;
    const after = [await publish(), await publish()];
    await taken(4);
    expect(firings.taken).toEqual([...before, ...after]);
  });

  it('the inbox watcher accepts a backlog of 5,000 once each, although the connection is cut three times', async () => {
    const ids = await publishMany(5_000);
    let cuts = 0;
    proxy.onAnswer(() => {
      if (cuts < 3 && proxy.received > 150_000) {
        cuts++;
        setImmediate(() => proxy.cut());
      }
    });
    watch();
    await taken(5_000);
    expect(cuts).toBe(3);
    expect(firings.taken).toEqual(ids);
  });

  it('the inbox watcher loses nothing of 5,000 firings over the watch while the connection is cut three times', async () => {
    await watch().ready;
    const cutting = [1_000, 2_500, 4_000].map((count) => taken(count).then(() => proxy.cut()));
    const ids = await publishMany(5_000);
    await taken(5_000);
    await Promise.all(cutting);
    expect(new Set(firings.taken)).toEqual(new Set(ids));
    expect(firings.taken).toHaveLength(5_000);
  });

  it('the inbox watcher accepts a backlog larger than the 4 MiB that gRPC receives by default', async () => {
    const ids = await publishMany(1_500, 6_000);
    watch();
    await taken(1_500);
    expect(firings.taken).toEqual(ids);
  });

  it('the inbox watcher lists again after a compaction while it was disconnected, and while it was watching', async () => {
    await watch().ready;
    proxy.refuse();
    proxy.cut();
    await until(() => log.at('warn').length > 0, 'the outage to be noticed');
    const ids = await publishMany(100);
    await compact();
    proxy.accept();
    await taken(100);
    await compact();
    ids.push(await publish());
    await taken(101);
    expect(firings.taken).toEqual(ids);
  });

  it('the inbox watcher takes a firing for 300 targets when it is committed, not when its entry exists', async () => {
    const targets = [node, ...Array.from({ length: 299 }, (_, index) => `node${index}.example.com`)];
    const firing = someFiring({ targets });
    await direct.commit({
      compare: [],
      write: [
        { put: keys.publishing(firing.id), value: serializeInboxEntry(firing.id) },
        { put: keys.inbox(node, firing.id), value: serializeInboxEntry(firing.id) },
      ],
    });
    const watcher = watch();
    await watcher.ready;
    await until(() => watcher.state.awaited === 1, 'the entry to be awaited');
    expect(firings.taken).toEqual([]);
    await publishFiring({ store: direct, keys }, firing);
    await taken(1);
    expect(firings.taken).toEqual([firing.id]);
    await until(() => watcher.state.awaited === 0, 'nothing to be awaited');
  });

  it('the inbox watcher runs nothing of a publication whose publisher died half-way', async () => {
    const watcher = watch();
    await watcher.ready;
    const { id } = someFiring();
    await direct.commit({ compare: [], write: [{ put: keys.inbox(node, id), value: serializeInboxEntry(id) }] });
    await until(() => watcher.state.awaited === 1, 'the entry to be awaited');
    const next = await publish();
    await taken(1);
    await direct.commit({ compare: [], write: [{ delete: keys.inbox(node, id) }] });
    await until(() => watcher.state.awaited === 0, 'the entry to be forgotten');
    expect(firings.taken).toEqual([next]);
  });

  it('the inbox watcher starts without etcd, says so once, and begins when etcd appears', async () => {
    proxy.refuse();
    const watcher = watch();
    await watcher.ready;
    expect(watcher.state.connected).toBe(false);
    expect(watcher.state.lastError?.code).toBe('etcd-unreachable');
    const id = await publish();
    proxy.accept();
    await taken(1);
    expect(firings.taken).toEqual([id]);
    await until(() => watcher.state.connected, 'the connection');
    expect(log.at('warn').map(({ message }) => message)).toEqual([away]);
    expect(log.at('info').map(({ message }) => message)).toContain('The inbox is watched again');
  });

  it('the inbox watcher survives a kill and a restart of etcd', async () => {
    const watcher = watch();
    await watcher.ready;
    await etcd.kill();
    await until(() => !watcher.state.connected, 'the outage to be noticed');
    await etcd.start();
    const id = await publish();
    await taken(1);
    expect(firings.taken).toEqual([id]);
  });

  it.each([
    ['another-id', 'another cluster'],
    ['same-id', 'an older revision'],
  ] as const)(
    'the inbox watcher notices new data behind the same address (%s), and takes what is owed there',
    async (next, said) => {
      const watcher = watch();
      await watcher.ready;
      for (let count = 0; count < 10; count++) await publish();
      await taken(10);
      await etcd.wipe(next);
      await etcd.start();
      const id = await publish();
      await taken(11);
      expect(firings.taken.at(-1)).toBe(id);
      await until(() => watcher.state.connected, 'the connection');
      expect(log.at('warn').some(({ message }) => message.includes(said))).toBe(true);
    },
  );

  it('the inbox watcher continues after etcd was frozen, and loses nothing from meanwhile', async () => {
    const watcher = watch({ relistMs: 200 });
    await watcher.ready;
    etcd.freeze();
    const error = await until(() => watcher.state.lastError, 'a deadline to pass').finally(() => etcd.thaw());
    expect(error.code).toBe('etcd-unreachable');
    const id = await publish();
    await taken(1);
    expect(firings.taken).toEqual([id]);
  });

  it('the inbox watcher ignores foreign keys with one log line each, and ends malformed firings as skipped', async () => {
    const bad = someFiring();
    const elsewhere = someFiring({ targets: ['other.example.com'] });
    await direct.commit({
      compare: [],
      write: [
        { put: `${keys.inboxes(node)}not-a-ulid`, value: 'x' },
        { put: `${keys.inboxes(node)}deeper/${someFiring().id}`, value: serializeInboxEntry(bad.id) },
        { put: keys.inbox(node, someFiring().id), value: '\u0000 nonsense' },
        { put: keys.inbox(node, bad.id), value: serializeInboxEntry(bad.id) },
        { put: keys.firing(bad.id), value: '{"format":1,"id":"nonsense"}' },
        { put: keys.inbox(node, elsewhere.id), value: serializeInboxEntry(elsewhere.id) },
        { put: keys.firing(elsewhere.id), value: serializeFiring(elsewhere) },
      ],
    });
    const watcher = watch({ relistMs: 50 });
    const id = await publish();
    await taken(2);
    expect(firings.taken).toEqual([elsewhere.id, id]);
    expect(firings.find(elsewhere.id)?.refusal).toBe('this node is not one of its targets');
    expect(await outcomeOf(bad.id)).toMatchObject({ stage: 'skipped', reason: expect.stringContaining('malformed') });
    expect(await direct.get(keys.inbox(node, bad.id))).toBeUndefined();
    const listings = proxy.received;
    await until(() => proxy.received > listings + 2_000, 'some more listings');
    expect(log.at('warn')).toHaveLength(4);
    expect(watcher.state.ignored).toBe(4);
  });

  it('the inbox watcher refuses what has expired and what this node does not allow', async () => {
    const expired = await publish({ expiresAt: '2020-01-01T00:00:00.000Z' });
    const forbidden = await publish({ job: { plugin: 'rm', args: {} } });
    watch({
      decideJob: ({ job }) => (job.plugin === 'rm' ? { refusal: 'rm is not allowed here' } : { request: someRequest }),
    });
    await taken(2);
    expect(firings.find(expired)?.refusal).toBe('expired');
    expect(firings.find(forbidden)?.refusal).toBe('rm is not allowed here');
  });

  it('the inbox watcher keeps a firing owed that the journal cannot take, and takes it when the journal can', async () => {
    firings.trouble = new TriggerdError('journal-failed', 'disk full');
    const watcher = watch();
    const id = await publish();
    await watcher.ready;
    await until(() => watcher.state.lastError?.code === 'journal-failed', 'the journal’s trouble');
    expect(await direct.get(keys.inbox(node, id))).toBeDefined();
    firings.trouble = undefined;
    await taken(1);
    await until(() => watcher.state.lastError === null, 'the end of the trouble');
    expect(firings.taken).toEqual([id]);
  });

  it('the inbox watcher saves the cursor after the journal’s contents', async () => {
    const watcher = watch();
    await watcher.ready;
    await publish();
    await taken(1);
    await watcher.stop();
    const { revision, clusterId } = await direct.list(keys.firings);
    expect(firings.savedCursor).toEqual({ clusterId, revision: revision + 1n });
  });

  it('the inbox watcher needs next to no processor time while etcd is away', async () => {
    proxy.refuse();
    const watcher = watch();
    await watcher.ready;
    await until(() => watcher.state.lastError, 'the outage');
    const before = process.cpuUsage();
    const endsAt = Date.now() + 1_500;
    await until(() => Date.now() >= endsAt, 'a second and a half of outage');
    const { user, system } = process.cpuUsage(before);
    const lastedMs = 1_500 + Date.now() - endsAt;
    expect((user + system) / 1_000 / lastedMs).toBeLessThan(0.3);
  });
});
