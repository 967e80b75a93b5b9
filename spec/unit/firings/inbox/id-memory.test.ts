import { beforeEach, describe, expect, it } from 'vitest';
import { firstFiringIdAt, timeOfFiringId } from '../../../../src/domain/firing.ts';
import { IdMemory } from '../../../../src/firings/inbox/id-memory.ts';
import { InboxEntries } from '../../../../src/firings/inbox/inbox-entries.ts';
import { publishFiring } from '../../../../src/firings/publish/publish.ts';
import { keysBelow } from '../../../../src/store/keys.ts';
import { firing } from '../../../support/firings.ts';
import { memoryJournal } from '../../../support/memory-journal.ts';
import { MemoryStore } from '../../../support/memory-store.ts';
import { recordingLog } from '../../../support/recording-log.ts';
import { MemoryFirings, someFiring, someRequest } from '../../../support/watch-room.ts';

const day = 86_400_000;
const start = Date.parse('2026-11-20T12:00:00.000Z');

describe('the time in a firing’s id', () => {
  it.each([0, 1, start, 2 ** 48 - 1])('the time %i in a firing’s ID is read as it was written', (at) => {
    expect(timeOfFiringId(firstFiringIdAt(at))).toBe(at);
  });

  it('firings’ IDs sort by their time', () => expect(firstFiringIdAt(start) < firstFiringIdAt(start + 1)).toBe(true));
});

describe('the memory of ids', () => {
  let now: number;
  let firings: ReturnType<typeof memoryJournal>['firings'];
  let journal: ReturnType<typeof memoryJournal>['journal'];
  const memory = () => new IdMemory({ firings, keepMs: 90 * day, clock: { now: () => now }, log: recordingLog() });
  const idAt = (at: number) => `${firstFiringIdAt(at).slice(0, 10)}ABCDEFGHJKMNPQRS`;
  /** A firing that this node has taken, and ended. */
  const run = (id: string) => {
    journal.take([{ firing: firing({ id }), refusal: 'done', at: now }]);
    firings.markPublished({ [id]: 'skipped/0' });
  };

  beforeEach(() => {
    now = start;
    ({ firings, journal } = memoryJournal());
  });

  it('the memory of IDs refuses IDs older than it remembers, and says so', () => {
    expect(memory().refusal(idAt(now - 89 * day))).toBeNull();
    expect(memory().refusal(idAt(now - 91 * day))).toBe(
      'too old: its id is of 2026-08-21T12:00:00.000Z, and ids are remembered for 90d',
    );
  });

  it('the memory of IDs forgets only what it then refuses', () => {
    const id = idAt(now);
    run(id);
    const ids = memory();
    now += 89 * day;
    ids.forget();
    expect(firings.find(id)).toBeDefined();
    now += 2 * day;
    ids.forget();
    expect(firings.find(id)).toBeUndefined();
    expect(ids.refusal(id)).toMatch(/^too old/);
  });

  it('the memory of IDs keeps an ID from the future until that time has passed', () => {
    const id = idAt(now + 1_000 * day);
    expect(memory().refusal(id)).toBeNull();
    run(id);
    now += 500 * day;
    memory().forget();
    expect(firings.find(id)).toBeDefined();
  });

  it('the memory of IDs still refuses what it forgot when its clock had run ahead, also after a restart', () => {
    const [id, newer] = [idAt(now - day), idAt(now)];
    run(id);
    now += 1_000 * day;
    memory().forget();
    now = start;
    expect(firings.find(id)).toBeUndefined();
    expect(memory().refusal(id)).toMatch(/^too old/);
    expect(memory().refusal(newer)).toBeNull();
  });

  it('a firing that is too old for the memory of IDs is recorded as such', async () => {
    const store = new MemoryStore();
    const taken = new MemoryFirings();
    const outcomes = { publish: () => undefined, publishAgain: () => undefined, entryGone: () => undefined };
    const entries = new InboxEntries({
      ...{ store, keys: keysBelow('/trigger'), node: 'lb01.example.com', firings: taken, intake: taken, outcomes },
      ...{ clock: { now: () => now }, log: recordingLog(), ids: memory(), onPostponed: () => undefined },
      decideJob: () => ({ request: someRequest }),
    });
    const old = someFiring({ id: idAt(now - 91 * day) });
    const fresh = someFiring({ id: idAt(now) });
    const place = { store, keys: keysBelow('/trigger') };
    for (const each of [old, fresh]) await publishFiring(place, each);
    await entries.accept((await store.list('/trigger/v1/inbox/')).entries, new AbortController().signal);
    expect(taken.find(old.id)?.refusal).toMatch(/^too old/);
    expect(taken.find(fresh.id)).toMatchObject({ refusal: null, jobId: 1 });
  });

  it('the memory of IDs never forgets an owed firing', () => {
    const id = idAt(now);
    journal.take([{ firing: firing({ id }), refusal: 'not told etcd yet', at: now }]);
    now += 1_000 * day;
    memory().forget();
    expect(firings.find(id)).toBeDefined();
  });
});
