import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TriggerdError } from '../../../../src/domain/errors.ts';
import type { JobRequest } from '../../../../src/domain/job.ts';
import { InboxWatcher, type InboxWatcherOptions } from '../../../../src/firings/inbox/inbox-watcher.ts';
import { publishFiring } from '../../../../src/firings/publish/publish.ts';
import { serializePresence } from '../../../../src/fleet/wire.ts';
import { keysBelow } from '../../../../src/store/keys.ts';
import { MemoryStore } from '../../../support/memory-store.ts';
import { someName } from '../../../support/names.ts';
import { recordingLog } from '../../../support/recording-log.ts';
import { until } from '../../../support/wait.ts';
import { MemoryFirings, someFiring, someRequest } from '../../../support/watch-room.ts';

const keys = keysBelow('/trigger');

describe('the inbox watcher', () => {
  let store: MemoryStore;
  let firings: MemoryFirings;
  let log: ReturnType<typeof recordingLog>;
  let watcher: InboxWatcher;
  const outcomes = { publish: [] as string[], publishAgain: [] as string[], entryGone: [] as string[] };

  beforeEach(() => {
    store = new MemoryStore();
    firings = new MemoryFirings();
    log = recordingLog();
    outcomes.publish = [];
    outcomes.publishAgain = [];
    outcomes.entryGone = [];
  });
  afterEach(() => watcher.stop());

  const start = (changes: Partial<InboxWatcherOptions> = {}) => {
    watcher = new InboxWatcher({
      store,
      keys,
      node: 'lb01.example.com',
      firings,
      intake: firings,
      decideJob: () => ({ request: someRequest }),
      outcomes: {
        publish: (id) => void outcomes.publish.push(id),
        publishAgain: (id) => void outcomes.publishAgain.push(id),
        entryGone: (id) => void outcomes.entryGone.push(id),
      },
      clock: Date,
      log,
      ...changes,
    });
    watcher.start();
    return watcher.ready;
  };
  const publish = async () => (await publishFiring({ store, keys }, someFiring())).id;
  const taken = (count: number) => until(() => firings.taken.length === count, `${count} firings`);

  it('the inbox watcher takes nothing while another process has the name, even before its own check, and everything when the name is back', async () => {
    const node = 'lb01.example.com';
    // It looks again in 20 seconds: what it learns before, it learns with what it is owed.
    const name = someName({ store, keys }, { node, timing: { presenceS: 60 } });
    name.start();
    await start({ name });
    await publish();
    await taken(1);
    const presence = { node, version: '1', instance: 'twin', roles: [], startedAt: 0, queues: {} };
    await store.commit({ compare: [], write: [{ put: keys.node(node), value: serializePresence(presence) }] });
    expect(name.isHeld()).toBe(true);
    await publish();
    await until(() => name.isRefused(), 'the name to be known as lost');
    expect(firings.taken).toHaveLength(1);
    expect(watcher.state.connected).toBe(true);
    await store.commit({ compare: [], write: [{ delete: keys.node(node) }] });
    name.look();
    await taken(2);
    await name.close();
  });

  it('the inbox watcher does not take again what the journal knows, and publishes its outcome again when it had been published', async () => {
    const [open, settled] = [someFiring(), someFiring()];
    for (const firing of [open, settled]) {
      firings.take([{ firing, job: firings.jobFor(someRequest) }]);
      await publishFiring({ store, keys }, firing);
    }
    firings.markPublished({ [settled.id]: 'finished/1' });
    await start();
    expect(firings.taken).toHaveLength(2);
    expect(outcomes).toEqual({ publish: [open.id], publishAgain: [settled.id], entryGone: [] });
  });

  it('the inbox watcher looks for an early entry’s firing when it is due, and reads at once one that appears later', async () => {
    const targets = ['lb01.example.com', ...Array.from({ length: 299 }, (_, index) => `node${index}.example.com`)];
    const [early, late] = [someFiring({ targets }), someFiring({ targets })];
    const reads = vi.spyOn(store, 'getMany');
    const [looks, waits] = [vi.spyOn(store, 'get'), vi.spyOn(store, 'nextValue')];
    const readsOf = (id: string) => reads.mock.calls.filter(([read]) => read.includes(keys.firing(id))).length;
    await start();
    await publishFiring({ store, keys }, early);
    await taken(1);
    expect(firings.find(early.id)?.firing).toMatchObject({ targets: null, targetsTotal: 300 });
    await watcher.stop();
    await publishFiring({ store, keys }, late);
    await start();
    await taken(2);
    expect([readsOf(early.id), readsOf(late.id)]).toEqual([0, 1]);
    expect(looks.mock.calls.filter(([key]) => key === keys.firing(early.id))).toHaveLength(1);
    expect(waits).not.toHaveBeenCalled();
  });

  it('the inbox watcher refuses what the queue says can never run, and continues', async () => {
    const impossible = await publish();
    const jobFor = (request: JobRequest) => {
      if (request.plugin === 'x') throw new TriggerdError('plugin-not-found', 'there is no plugin “x”');
      return firings.jobFor(request);
    };
    await start({
      intake: { jobFor, take: firings.take.bind(firings) },
      decideJob: ({ id }) => ({ request: id === impossible ? { ...someRequest, plugin: 'x' } : someRequest }),
    });
    const next = await publish();
    await taken(2);
    expect(firings.find(impossible)?.refusal).toBe('plugin-not-found: there is no plugin “x”');
    expect(firings.find(next)?.refusal).toBeNull();
  });

  it('the inbox watcher keeps a firing owed that meets a bug, says so once, and continues', async () => {
    const unlucky = await publish();
    await start({
      relistMs: 5,
      decideJob: ({ id }) => {
        if (id === unlucky) throw new TypeError('undefined is not a function');
        return { request: someRequest };
      },
    });
    const next = await publish();
    await taken(1);
    expect(firings.taken).toEqual([next]);
    expect(await store.get(keys.inbox('lb01.example.com', unlucky))).toBeDefined();
    expect(log.at('warn')).toHaveLength(1);
  });

  it('the inbox watcher journals in one transaction what is owed together, and one by one what cannot be journalled so', async () => {
    const ids = [await publish(), await publish(), await publish()];
    firings.unwritable = ids[1];
    await start({ relistMs: 5 });
    expect(firings.windows).toEqual([1, 1]);
    expect(firings.taken).toEqual([ids[0], ids[2]]);
    firings.unwritable = undefined;
    await taken(3);
    const more = [await publish(), await publish()];
    await taken(5);
    await watcher.stop();
    firings = new MemoryFirings();
    await start();
    expect(firings.windows).toEqual([5]);
    expect(firings.taken).toEqual([...ids, ...more]);
  });

  it('the inbox watcher is ready when the first window of a large backlog is journalled, and takes the rest before later firings', async () => {
    const backlog: string[] = [];
    for (let n = 0; n < 150; n++) backlog.push(await publish());
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const get = store.get.bind(store);
    store.get = async (key) => {
      if (key === keys.firing(backlog[149] ?? '')) await held;
      return get(key);
    };
    await start();
    expect(watcher.state.connected).toBe(true);
    await until(() => firings.taken.length === 128, 'two windows');
    const later = await publish();
    goOn();
    await taken(151);
    expect(firings.taken).toEqual([...backlog, later]);
    expect(firings.windows).toEqual([64, 64, 22, 1]);
  });

  it('the inbox watcher takes by a listing what the watch did not report', async () => {
    await start({
      relistMs: 5,
      store: Object.assign(Object.create(store) as MemoryStore, {
        get: store.get.bind(store),
        list: store.list.bind(store),
        async *watch(_prefix: string, from: bigint, signal: AbortSignal) {
          yield { events: [], revision: from - 1n };
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        },
      }),
    });
    const id = await publish();
    await taken(1);
    expect(firings.taken).toEqual([id]);
  });

  it('the inbox watcher tries a full queue again, and says that once', async () => {
    firings.trouble = new TriggerdError('queue-full', 'full');
    await publish();
    await start();
    await until(() => log.at('warn').length > 0, 'the trouble to be told');
    firings.trouble = undefined;
    await taken(1);
    await until(() => watcher.state.lastError === null, 'the end of the trouble');
    expect(log.at('warn')).toHaveLength(1);
  });

  it('the inbox watcher stops in the middle of an outage without waiting for its next attempt', async () => {
    store.fail(new TriggerdError('etcd-unreachable', 'away'));
    await start();
    expect(watcher.state).toMatchObject({ connected: false, lastError: { code: 'etcd-unreachable' } });
    await watcher.stop();
  });
});
