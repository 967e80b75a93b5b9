import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openJournal } from '../../../src/adapters/sqlite/open-journal.ts';
import { keep } from '../../../src/adapters/sqlite/statements.ts';
import type { FinishedJob, RequestOrigin } from '../../../src/domain/job.ts';
import { createRetention } from '../../../src/queue/create-queues.ts';
import { jobRequest } from '../../support/jobs.ts';
import { temporaryFolder, temporaryJournal } from '../../support/journal.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { stateIn } from '../../support/state.ts';
import { until } from '../../support/wait.ts';

const times = { realS: 0.1, userS: 0, systemS: 0 };
const ending = { startedAt: 1, finishedAt: 2, result: { kind: 'succeeded', exitCode: 0 }, times, details: {} } as const;
const origin = (id: string): RequestOrigin => ({
  id,
  worker: 'ops/demo01',
  user: 'alice@ops',
  service: 'demoservice',
  chain: [],
  ttl: 8,
});
const requestOf = (id: string) => jobRequest({ queue: 'requests', source: 'request', origin: origin(id) });
const entry = (id: string, at = 1000) => ({ request: requestOf(id), command: 'x', coalescingKey: null, at });
const endedJob = (id: number, request: string, finishedAt = 2): FinishedJob => ({
  id,
  request: requestOf(request),
  command: 'x',
  firings: [],
  attempt: 1,
  folder: '/nowhere',
  enqueuedAt: finishedAt,
  state: 'finished',
  ...ending,
  finishedAt,
});
const output = { bytes: Buffer.from([0, 255, 10]), index: [['out', 2] as const, ['err', 1] as const] };

test('a journal of the first version is used further: its jobs, its payloads, and requests beside them', () => {
  const folder = temporaryFolder();
  const state = stateIn(folder);
  const old = keep(new Database(state.file));
  old.exec(readFileSync(join(import.meta.dirname, '../../fixtures/journal/version-1.sql'), 'utf8'));
  old.close();
  const { journal, requests, close } = openJournal(state);
  expect(journal.get(1)).toMatchObject({ state: 'finished', result: { kind: 'failed', exitCode: 3 } });
  expect(journal.get(1)).not.toHaveProperty('outputIn');
  expect(journal.head('default')).toMatchObject({ id: 2, request: { payload: 'grüße\n' } });
  expect(journal.get(2)?.request).not.toHaveProperty('payloadEncoding');
  expect(journal.begin(entry('A'))).toMatchObject({ id: 3, state: 'running', attempt: 1, startedAt: 1000 });
  expect(requests.find(origin('A'))).toEqual({ jobId: 3, ending: null });
  journal.finish(3, ending);
  expect(requests.find(origin('A'))).toMatchObject({ jobId: 3, ending: { result: { kind: 'succeeded' } } });
  close();
});

test('a journal of version 5 is used further: a job that waits for another job’s end starts after it', () => {
  const state = stateIn(temporaryFolder());
  const old = keep(new Database(state.file));
  old.exec(readFileSync(join(import.meta.dirname, '../../fixtures/journal/version-5.sql'), 'utf8'));
  old.close();
  const { journal, close } = openJournal(state);
  expect(journal.running().map(({ id }) => id)).toEqual([1]);
  expect([journal.head('default')?.id, journal.head('wide')]).toEqual([4, undefined]);
  journal.finish(1, { ...ending, result: { kind: 'failed', exitCode: 1 } });
  expect([journal.head('default')?.id, journal.head('wide')?.id]).toEqual([2, 3]);
  expect(journal.hopeless(10)).toEqual([]);
  close();
});

test('a request that was begun once cannot be begun again, and none is half journalled', () => {
  const { journal, requests } = temporaryJournal();
  journal.begin(entry('A'));
  expect(() => journal.begin(entry('A'))).toThrow(expect.objectContaining({ code: 'journal-failed' }));
  expect(journal.list({})).toHaveLength(1);
  expect(requests.find({ ...origin('A'), user: 'bob@ops' })).toBeUndefined();
  expect(requests.find({ ...origin('A'), worker: 'ops/demo02' })).toBeUndefined();
});

test('reserved job IDs are given to nobody else, and in-memory jobs are recorded under them', () => {
  const { journal, requests } = temporaryJournal();
  expect(journal.reserveIds(10)).toBe(1);
  expect(journal.add({ request: jobRequest(), command: 'x', coalescingKey: null, at: 1 }).id).toBe(11);
  expect(journal.reserveIds(10)).toBe(12);
  journal.record([{ job: endedJob(2, 'A'), output }], { keep: 10, whole: 10 });
  expect(journal.get(2)).toMatchObject({ state: 'finished', outputIn: 'journal', request: { origin: { id: 'A' } } });
  expect(journal.recordedOutput(2)).toEqual(output);
  expect(requests.find(origin('A'))).toMatchObject({ jobId: 2, ending: { result: { kind: 'succeeded' } } });
  expect(journal.count('requests', 'finished', ['request'])).toBe(1);
  journal.record([{ job: endedJob(3, 'B'), output: null }], { keep: 10, whole: 10 });
  expect(journal.get(3)).not.toHaveProperty('outputIn');
  expect(journal.recordedOutput(3)).toBeUndefined();
});

test('the journal remembers the IDs of many requests at once, and keeps the newest jobs', () => {
  const { journal, requests } = temporaryJournal();
  const first = journal.reserveIds(100);
  const all = Array.from({ length: 50 }, (_, index) => ({ job: endedJob(first + index, `R${index}`), output }));
  journal.record(all, { keep: 1000, whole: 5 });
  expect(journal.list({}).map(({ id }) => id)).toEqual([46, 47, 48, 49, 50]);
  expect(requests.find(origin('R0'))).toMatchObject({ jobId: 1, ending: { result: { kind: 'succeeded' } } });
  journal.record([{ job: endedJob(60, 'X'), output }], { keep: 2, whole: 5 });
  expect(journal.list({}).map(({ id }) => id)).toEqual([50, 60]);
});

test('the journal forgets IDs by age and by the number of later jobs, never one that runs', () => {
  const { journal, requests } = temporaryJournal();
  journal.begin(entry('runs', 10));
  journal.begin(entry('over', 20));
  journal.finish(2, ending);
  journal.begin(entry('young', 30));
  journal.finish(3, ending);
  journal.forgetRequests(25);
  expect([requests.find(origin('runs')), requests.find(origin('over'))]).toEqual([
    { jobId: 1, ending: null },
    undefined,
  ]);
  expect(requests.find(origin('young'))).toBeDefined();
  const far = journal.reserveIds(300_000) + 250_000;
  journal.record([{ job: endedJob(far, 'far', 40), output }], { keep: 10, whole: 10 });
  expect(requests.find(origin('young'))).toBeUndefined();
  expect(requests.find(origin('far'))).toBeDefined();
});

test('many requests at once push no other job out of the history', async () => {
  const { journal } = temporaryJournal();
  for (let id = 1; id <= 3; id += 1) {
    journal.add({ request: jobRequest(), command: 'x', coalescingKey: null, at: id });
    journal.start(id, id);
    journal.finish(id, { ...ending, finishedAt: id });
  }
  for (let id = 4; id <= 20; id += 1) {
    journal.begin(entry(`R${id}`, id));
    journal.finish(id, { ...ending, finishedAt: id });
  }
  const retention = createRetention({
    journal,
    runner: { discard: async () => undefined },
    clock: { now: () => 100 },
    log: recordingLog(),
    history: { keep: 2, maxAgeMs: 1000, idsMs: 1000, every: 3_600_000 },
  });
  retention.start();
  await until(() => journal.list({}).length === 4, 'the history');
  retention.stop();
  expect(journal.list({}).map(({ id }) => id)).toEqual([2, 3, 19, 20]);
});
