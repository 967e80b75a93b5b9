import { beforeEach, describe, expect, it } from 'vitest';
import { TriggerdError } from '../../../../src/domain/errors.ts';
import type { Job, JobId } from '../../../../src/domain/job.ts';
import { owedOutcome } from '../../../../src/domain/outcome.ts';
import { endOwed } from '../../../../src/firings/end/end-owed.ts';
import { firingStatus } from '../../../../src/firings/follow/follow-firing.ts';
import { EndedElsewhere, liveFirings, reasonToSkip } from '../../../../src/firings/inbox/ended-elsewhere.ts';
import { InboxEntries } from '../../../../src/firings/inbox/inbox-entries.ts';
import { OutcomePublisher } from '../../../../src/firings/outcomes/outcome-publisher.ts';
import { publishFiring } from '../../../../src/firings/publish/publish.ts';
import { serializeInboxEntry } from '../../../../src/firings/wire/firing.ts';
import { MemoryStore } from '../../../support/memory-store.ts';
import { recordingLog } from '../../../support/recording-log.ts';
import { keys } from '../../../support/sweeping.ts';
import { until } from '../../../support/wait.ts';
import { MemoryFirings, queuedJob, someFiring, someRequest } from '../../../support/watch-room.ts';

const node = 'lb01.example.com';
const cancelled = { reason: 'cancelled by alice@web01', at: 5_000 };

describe('a firing that others end', () => {
  let store: MemoryStore;
  let firings: MemoryFirings;
  let elsewhere: EndedElsewhere;
  let publisher: OutcomePublisher;
  let entries: InboxEntries;
  const killed: JobId[] = [];
  const keyspace = () => ({ store, keys });

  beforeEach(() => {
    store = new MemoryStore();
    firings = new MemoryFirings();
    killed.length = 0;
    const log = recordingLog();
    const queues = {
      get: (id: JobId) => firings.get(id),
      onChange: (listener: (job: Job) => void) => firings.onChange(listener),
      skip: (id: JobId, reason: string) => {
        const skipped = { ...firings.get(id), state: 'skipped' as const, finishedAt: 6_000, reason };
        firings.change(skipped);
        return skipped;
      },
      kill: async (id: JobId) => {
        killed.push(id);
        return firings.get(id);
      },
    };
    const clock = { now: () => 7_000 };
    elsewhere = new EndedElsewhere({ ...keyspace(), node, firings, queues, clock, log });
    publisher = new OutcomePublisher({
      ...{ ...keyspace(), node, firings, queues, log },
      readTail: async () => null,
      elsewhere,
    });
    publisher.start();
    entries = new InboxEntries({
      ...{ ...keyspace(), node, firings, intake: firings, outcomes: publisher, clock, log },
      decideJob: () => ({ request: someRequest }),
      onPostponed: () => undefined,
      elsewhere,
    });
  });

  /** Firings that share a queued job, published as queued. */
  const queued = async (count: number) => {
    const all = Array.from({ length: count }, () => someFiring());
    for (const firing of all) await publishFiring(keyspace(), firing);
    const job = queuedJob(
      firings.jobs.size + 1,
      someRequest,
      all.map(({ id }) => id),
    );
    firings.acceptAll(all, job);
    for (const { id } of all) publisher.publish(id);
    await settled();
    return { job, ids: all.map(({ id }) => id) as [string, string, string] };
  };
  const start = async (id: JobId) => {
    const { deferral: _, ...job } = queuedJob(id, someRequest, firings.get(id).firings);
    firings.change({ ...job, state: 'running', startedAt: 2_000, attempt: 1 });
    await settled();
  };
  const settled = () => until(() => publisher.pending === 0, 'the outcomes to be published');
  const state = (id: JobId) => firings.get(id).state;
  const wish = (id: string) =>
    store.commit({ compare: [], write: [{ put: keys.inbox(node, id), value: serializeInboxEntry(id, 'alice') }] });
  const list = async () => entries.accept((await store.list(keys.inboxes(node))).entries, new AbortController().signal);
  const stage = async (id: string) => (await firingStatus(keyspace(), id)).outcomes[0]?.stage;

  it('a firing that others end skips its queued job when no other firing needs it', async () => {
    const { job, ids } = await queued(1);
    await endOwed(keyspace(), [{ firing: ids[0], node }], cancelled);
    entries.vanished(keys.inbox(node, ids[0]));
    await settled();
    expect(firings.get(job.id)).toMatchObject({ state: 'skipped', reason: cancelled.reason });
    expect(firings.find(ids[0])?.published).toBe('skipped/0');
  });

  it('a firing that others end leaves a queued job to the other firings', async () => {
    const { job, ids } = await queued(2);
    await endOwed(keyspace(), [{ firing: ids[0], node }], cancelled);
    entries.vanished(keys.inbox(node, ids[0]));
    await settled();
    expect(state(job.id)).toBe('queued');
    expect(liveFirings(firings, job.id).map(({ firing }) => firing.id)).toEqual([ids[1]]);
  });

  it('a firing that others end is noticed by the next listing when the watch has missed it, and read once', async () => {
    const { job, ids } = await queued(1);
    const unsettled = firings.unsettledIds();
    await store.commit({ compare: [], write: [{ delete: keys.inbox(node, ids[0]) }] });
    entries.missing(unsettled, []);
    await settled();
    // Nobody has ended it: etcd has lost the entry, and the job runs all the same.
    expect(state(job.id)).toBe('queued');
    let asked = 0;
    store.beforeCommit = () => void asked++;
    entries.missing(firings.unsettledIds(), []);
    await settled();
    expect(asked).toBe(0);
  });

  it('a firing that others end leaves a running job alone, unless its end demands a kill', async () => {
    const { job, ids } = await queued(2);
    await start(job.id);
    await endOwed(keyspace(), [{ firing: ids[0], node }], { ...cancelled, evenRunning: true });
    entries.vanished(keys.inbox(node, ids[0]));
    await settled();
    expect(killed).toEqual([]);
    const details = { cancelled: { kill: true } };
    await endOwed(keyspace(), [{ firing: ids[1], node }], { ...cancelled, details, evenRunning: true });
    entries.vanished(keys.inbox(node, ids[1]));
    await settled();
    expect(killed).toEqual([job.id]);
  });

  it('a running job is killed once all its firings were cancelled with a kill, in any order', async () => {
    const { job, ids } = await queued(3);
    await start(job.id);
    for (const id of ids.slice(0, 2)) await wish(id);
    await list();
    await list();
    expect(killed).toEqual([]);
    await wish(ids[2]);
    await list();
    expect(killed).toEqual([job.id]);
  });

  it('a firing that was cancelled with a kill ends although its job was deferred meanwhile', async () => {
    const { job, ids } = await queued(2);
    await wish(ids[0]);
    await list();
    await settled();
    expect([await stage(ids[0]), await stage(ids[1])]).toEqual(['skipped', 'queued']);
    expect([state(job.id), killed]).toEqual(['queued', []]);
    await wish(ids[1]);
    await list();
    expect(state(job.id)).toBe('skipped');
  });

  it('a firing that others end is dropped before its job starts, even after a crash', async () => {
    const { job, ids } = await queued(1);
    expect(reasonToSkip(firings, job, Date.now())).toBeNull();
    firings.markPublished({ [ids[0]]: 'skipped/0' });
    expect(reasonToSkip(firings, job, Date.now())).toBe('no firing of the job is owed any more');
    expect(reasonToSkip(firings, { ...job, firings: [] }, Date.now())).toBeNull();
  });

  it('a job is skipped only when all its firings have expired', async () => {
    const expired = someFiring({ expiresAt: '2026-01-01T00:00:00.000Z' });
    const job = queuedJob(1, someRequest, [expired.id]);
    firings.acceptAll([expired], job);
    expect(reasonToSkip(firings, job, Date.now())).toBe('expired');
    firings.acceptAll([someFiring()], job);
    expect(reasonToSkip(firings, job, Date.now())).toBeNull();
  });
});

describe('ending in the place of others', () => {
  const target = { firing: someFiring().id, node };

  it('a recorded end is recognized after a lost answer, and the node’s own outcome is left alone', async () => {
    const store = new MemoryStore();
    const keyspace = { store, keys };
    const entry = { put: keys.inbox(node, target.firing), value: serializeInboxEntry(target.firing) };
    await store.commit({ compare: [], write: [entry] });
    expect(await endOwed(keyspace, [target], cancelled)).toMatchObject([{ kind: 'ended' }]);
    expect(await endOwed(keyspace, [target], cancelled)).toMatchObject([{ kind: 'ended' }]);
    const other = { ...cancelled, reason: 'another' };
    expect(await endOwed(keyspace, [target], other)).toMatchObject([
      { kind: 'settled', outcome: { reason: cancelled.reason } },
    ]);
  });

  it('a recorded end is given up, with a message, when a node keeps changing its outcome', async () => {
    const store = new MemoryStore();
    const entry = { put: keys.inbox(node, target.firing), value: serializeInboxEntry(target.firing) };
    await store.commit({ compare: [], write: [entry] });
    store.beforeCommit = ({ compare }) => {
      if (compare.length === 0) return;
      const value = JSON.stringify({ ...owedOutcome(target.firing, node), tick: Math.random() });
      void store.commit({ compare: [], write: [{ put: keys.outcome(target.firing, node), value }] });
    };
    await expect(endOwed({ store, keys }, [target], cancelled)).rejects.toThrow(TriggerdError);
  });
});
