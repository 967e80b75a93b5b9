import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openJournal } from '../../../src/adapters/sqlite/open-journal.ts';
import { keep, pragma } from '../../../src/adapters/sqlite/statements.ts';
import type { Firing } from '../../../src/domain/firing.ts';
import type { NewJob } from '../../../src/queue/ports/journal.ts';
import { firing } from '../../support/firings.ts';
import { jobRequest } from '../../support/jobs.ts';
import { temporaryFolder, temporaryJournal } from '../../support/journal.ts';
import { dist } from '../../support/runner-command.ts';
import { stateIn } from '../../support/state.ts';

const entry = (changes: Parameters<typeof jobRequest>[0] = {}, coalescingKey: string | null = null): NewJob => ({
  request: jobRequest(changes),
  command: 'true',
  coalescingKey,
  at: 1000,
});
const ended = {
  startedAt: 1,
  finishedAt: 2,
  result: { kind: 'succeeded', exitCode: 0 },
  times: { realS: 1, userS: 0, systemS: 0 },
  details: { a: 1 },
} as const;
const thrownBy = (work: () => unknown): { code: string; message: string } => {
  try {
    work();
  } catch (thrown) {
    return thrown as { code: string; message: string };
  }
  throw new Error('nothing was thrown');
};

test('a job is read from the journal as it was written, through all its states', () => {
  const { journal } = temporaryJournal();
  const request = jobRequest({ argv: ['a', 'ü\n'], env: { A: '1' }, payload: '\0', label: 'l' });
  const added = journal.add({ request, command: 'a ü', coalescingKey: null, at: 5 });
  expect(added).toMatchObject({
    id: 1,
    state: 'queued',
    request,
    command: 'a ü',
    attempt: 0,
    enqueuedAt: 5,
    deferral: null,
  });
  expect(journal.start(1, 7)).toMatchObject({ state: 'running', startedAt: 7, attempt: 1 });
  expect(journal.unstart(1)).toMatchObject({ state: 'queued', attempt: 0 });
  journal.start(1, 8);
  const deferral = { reason: 'lock', paths: ['/l'], since: 9 };
  expect(journal.defer(1, deferral)).toMatchObject({ state: 'queued', deferral, attempt: 1 });
  expect(journal.head('default')).toBeUndefined();
  expect(journal.deferred().map(({ id }) => id)).toEqual([1]);
  expect(journal.defer(1, null)).toMatchObject({ deferral: null });
  journal.start(1, 10);
  expect(journal.finish(1, ended)).toMatchObject({ state: 'finished', attempt: 2, ...ended });
  expect(journal.get(1)).toMatchObject({ state: 'finished', ...ended });
});

test('the journal leaves a job alone that is not in the required state', () => {
  const { journal } = temporaryJournal();
  journal.add(entry());
  expect(thrownBy(() => journal.finish(1, ended)).code).toBe('job-state');
  expect(thrownBy(() => journal.skip(9, 'x', 1)).code).toBe('job-not-found');
  expect(journal.get(1)?.state).toBe('queued');
  expect([journal.count('default', 'queued'), journal.count('default', 'finished')]).toEqual([1, 0]);
});

test('the journal’s list is ended, running, queued; its pages are by ID', () => {
  const { journal } = temporaryJournal();
  for (let i = 0; i < 8; i += 1) journal.add(entry());
  for (const id of [2, 1, 3]) {
    journal.start(id, id);
    journal.finish(id, { ...ended, finishedAt: 10 - id });
  }
  journal.start(5, 50);
  journal.makeUrgent(8);
  const ids = (filter: Parameters<typeof journal.list>[0]) => journal.list(filter).map(({ id }) => id);
  const all = [3, 2, 1, 5, 8, 4, 6, 7];
  expect(ids({})).toEqual(all);
  expect(ids({ endedLimit: 1 })).toEqual([1, 5, 8, 4, 6, 7]);
  expect(ids({ endedLimit: 0, states: ['queued', 'finished'] })).toEqual([8, 4, 6, 7]);
  expect(ids({ queuedLimit: 2 })).toEqual([3, 2, 1, 5, 8, 4]);
  const paged: number[] = [];
  for (let page = ids({ limit: 3 }); page.length > 0; page = ids({ limit: 3, afterId: page.at(-1) ?? 0 })) {
    paged.push(...page);
    // Whatever happens between two pages: nothing is missed, nothing comes twice.
    const queued = ids({ limit: 1, states: ['queued'], newestFirst: true });
    for (const id of queued) journal.skip(id, 'removed', 99);
  }
  expect(paged).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(ids({ limit: 2, states: ['finished', 'running'], newestFirst: true })).toEqual([5, 3]);
  expect(ids({ queue: 'nope' })).toEqual([]);
});

test('the journal’s list omits large fields', () => {
  const { journal } = temporaryJournal();
  const large = 'ü'.repeat(10_000);
  const request = jobRequest({ argv: [large], env: { A: large }, payload: large, label: 'x' });
  journal.add({ ...entry(), request, command: large });
  journal.add({ ...entry(), command: 'ü'.repeat(4096) });
  const [listed, fits] = journal.list({});
  expect(listed).toMatchObject({ id: 1, request: { label: 'x', plugin: 'command' }, command: `${'ü'.repeat(4096)}…` });
  expect(JSON.stringify(listed).length).toBeLessThan(5000);
  expect(fits?.command).toBe('ü'.repeat(4096));
  expect(journal.list({ limit: 1, commandLength: 10 })[0]?.command).toBe(`${'ü'.repeat(10)}…`);
  expect(journal.get(1)).toMatchObject({ command: large, request });
});

test('the journal never uses an ID twice', () => {
  const { journal } = temporaryJournal();
  journal.add(entry());
  journal.skip(1, 'removed', 1);
  expect(journal.forgetJobs([1]).map(({ id }) => id)).toEqual([1]);
  expect(journal.leftovers(10).map((folder) => folder.split('/').at(-1))).toEqual(['1']);
  journal.dropLeftovers(journal.leftovers(10));
  expect(journal.leftovers(10)).toEqual([]);
  expect(journal.add(entry()).id).toBe(2);
});

test('firings in the journal share a queued job, never a running one, and keep their job until they are settled', () => {
  const { journal, firings } = temporaryJournal();
  const [a, b, c] = [firing(), firing(), firing()];
  const job = entry({ source: 'firing' }, 'key');
  const take = (...firings: Firing[]) => journal.take(firings.map((firing) => ({ firing, job })));
  expect(take(a, b)).toMatchObject([
    { kind: 'queued', job: { id: 1, firings: [a.id] } },
    { kind: 'coalesced', jobId: 1 },
  ]);
  expect(journal.get(1)?.firings).toEqual([a.id, b.id]);
  journal.start(1, 1);
  expect(take(c, a)).toMatchObject([
    { kind: 'queued', job: { id: 2, firings: [c.id] } },
    { kind: 'known', logged: { jobId: 1 } },
  ]);
  journal.finish(1, ended);
  const all = { keep: 0, endedBefore: Infinity, limit: 10 };
  firings.markPublished({ [a.id]: 'finished/1' });
  expect(journal.retirable(all)).toEqual([]);
  expect(firings.unsettledIds()).toEqual([b.id, c.id]);
  firings.markPublished({ [b.id]: 'finished/1' });
  expect(journal.retirable(all)).toEqual([1]);
  // Not yet: their ids are from today, and would be taken for new ones.
  expect(firings.forgetBefore(1001)).toBe(0);
  expect(firings.forgottenUpTo()).toBeNull();
  expect(firings.forgetBefore(Date.now() + 1)).toBe(2);
  expect(firings.forgottenUpTo()).toBe(b.id);
  expect(firings.find(c.id)).toMatchObject({ receivedAt: 1000, published: null, firing: c });
});

test('the journal accepts firings all together or not at all', () => {
  const { journal, firings } = temporaryJournal();
  const [good, bad] = [firing(), firing({ signature: 1n })];
  const job = entry({ source: 'firing' }, 'key');
  expect(() => journal.take([good, bad].map((each) => ({ firing: each, job })))).toThrow(
    expect.objectContaining({ code: 'journal-failed' }),
  );
  expect(firings.find(good.id)).toBeUndefined();
  expect(journal.list({})).toEqual([]);
  expect(journal.take([{ firing: good, job }])).toMatchObject([{ kind: 'queued', job: { id: 1 } }]);
});

test('the journal’s cursor keeps revisions that no double can hold', () => {
  const { firings } = temporaryJournal();
  expect(firings.cursor()).toBeUndefined();
  firings.saveCursor({ clusterId: '14841639068965178418', revision: 2n ** 62n + 1n });
  expect(firings.cursor()).toEqual({ clusterId: '14841639068965178418', revision: 2n ** 62n + 1n });
});

test('the journal retains by number and by age', () => {
  const { journal } = temporaryJournal();
  for (let id = 1; id <= 5; id += 1) {
    journal.add(entry());
    journal.start(id, id);
    journal.finish(id, { ...ended, finishedAt: id * 10 });
  }
  expect(journal.retirable({ keep: 3, endedBefore: 0, limit: 10 })).toEqual([1, 2]);
  expect(journal.retirable({ keep: 9, endedBefore: 31, limit: 2 })).toEqual([1, 2]);
  expect(journal.retirable({ keep: 9, endedBefore: 31, limit: 10 })).toEqual([1, 2, 3]);
});

test('the journal keeps its entries after the process ends, in private files', () => {
  const state = stateIn(temporaryFolder());
  const first = openJournal(state);
  first.journal.add(entry());
  first.journal.saveQueueSettings('default', { paused: true, slots: 4 });
  first.close();
  const second = openJournal(state);
  expect(second.journal.get(1)?.state).toBe('queued');
  expect(second.journal.queueSettings('default')).toEqual({ paused: true, slots: 4 });
  expect(statSync(state.file).mode & 0o777).toBe(0o600);
  second.close();
});

test('a second daemon is told who has the journal, and gets it once that daemon is dead', async () => {
  const state = stateIn(temporaryFolder());
  const script = `
    const { openJournal } = await import(${JSON.stringify(join(dist, 'adapters/sqlite/open-journal.js'))});
    openJournal(${JSON.stringify(state)});
    console.log('open');
    setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  const refusal = thrownBy(() => openJournal(state));
  expect(refusal.code).toBe('already-running');
  expect(refusal.message).toContain(`pid ${holder.pid}`);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  openJournal(state).close();
});

test('a journal of a later version is refused, and so is a file that is no journal', () => {
  const newer = stateIn(temporaryFolder());
  openJournal(newer).close();
  const db = keep(new Database(newer.file));
  pragma(db, 'user_version = 99');
  db.close();
  expect(thrownBy(() => openJournal(newer))).toMatchObject({
    code: 'journal-newer',
    message: expect.stringContaining('99'),
  });
  const garbage = stateIn(temporaryFolder());
  writeFileSync(garbage.file, 'this is no database, however long one looks at it'.repeat(100));
  expect(thrownBy(() => openJournal(garbage))).toMatchObject({
    code: 'journal-failed',
    message: expect.stringContaining(garbage.file),
  });
});

test('a damaged journal is refused with an error, never read in part', () => {
  const state = stateIn(temporaryFolder());
  const first = openJournal(state);
  for (let i = 0; i < 200; i += 1) first.journal.add(entry({ payload: 'x'.repeat(1000) }));
  first.close();
  truncateSync(state.file, 64 * 1024);
  const reading = thrownBy(() => {
    const { journal, close } = openJournal(state);
    try {
      journal.list({});
    } finally {
      close();
    }
  });
  expect(reading.code).toBe('journal-failed');
});

test('the journal names a state folder that cannot be written', () => {
  const state = stateIn(temporaryFolder());
  const file = join(state.jobsDir, 'no', 'journal.db');
  expect(thrownBy(() => openJournal({ ...state, file })).code).toBe('state-unusable');
  chmodSync(state.jobsDir, 0o700);
});
