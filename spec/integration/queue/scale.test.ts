import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { jobRequest } from '../../support/jobs.ts';
import { temporaryFolder, temporaryJournal } from '../../support/journal.ts';
import { openFiles, temporaryRunner, zombiesOf } from '../../support/processes.ts';
import { instantRunner, queuesOf } from '../../support/queues.ts';
import { until } from '../../support/wait.ts';

const megabytes = (): number => Math.round(process.memoryUsage.rss() / 1e6);
const forever = new AbortController().signal;

const timed = <T>(what: string, work: () => T): T => {
  const startedMs = performance.now();
  const result = work();
  console.log(`${what}: ${(performance.now() - startedMs).toFixed(1)} ms`);
  return result;
};

test('100,000 queued jobs: accepted, listed in pages, drained in order', async () => {
  const jobs = 100_000;
  const before = megabytes();
  let last = 0;
  let isInOrder = true;
  const runner = instantRunner((folder) => {
    const id = Number(folder.split('/').at(-1));
    isInOrder &&= id === last + 1;
    last = id;
  });
  // In memory: 300,000 commits to a disk take a minute and say nothing about us.
  const { journal } = temporaryJournal(temporaryFolder('/dev/shm'));
  const queues = queuesOf({ journal, runner });
  timed('accept 100,000', () => {
    for (let i = 0; i < jobs; i += 1) queues.add(jobRequest({ argv: ['/bin/true', String(i)] }));
  });
  console.log(`memory: ${before} MB before, ${megabytes()} MB with 100,000 queued`);
  expect(timed('a page of 100', () => queues.list({ limit: 100, afterId: 50_000 })).map(({ id }) => id)[0]).toBe(
    50_001,
  );
  expect(timed('summary', () => queues.summary())[0]).toMatchObject({ queued: jobs });
  expect(timed('head', () => journal.head('default'))?.id).toBe(1);
  const startedMs = performance.now();
  await timed('start', () => queues.start());
  await queues.drain('default', forever);
  const tookMs = performance.now() - startedMs;
  console.log(
    `drained in ${(tookMs / 1000).toFixed(1)} s (${Math.round((jobs * 1000) / tookMs)} jobs/s), ${megabytes()} MB`,
  );
  expect(isInOrder).toBe(true);
  expect(last).toBe(jobs);
  expect(megabytes()).toBeLessThan(300);
  await queues.stop();
});

test('real jobs of a queue with one slot never overlap, and nothing leaks', async () => {
  const folder = temporaryFolder();
  const { journal } = temporaryJournal(folder);
  const queues = queuesOf({ journal, runner: temporaryRunner() });
  await queues.start();
  const first = queues.add(jobRequest());
  await queues.waitFor(first.id, forever);
  const before = openFiles(process.pid);
  for (let i = 0; i < 200; i += 1) {
    queues.add(jobRequest({ argv: ['/bin/sh', '-c', `echo start >> ${folder}/record; echo end >> ${folder}/record`] }));
  }
  await queues.drain('default', forever);
  const lines = readFileSync(join(folder, 'record'), 'utf8').trim().split('\n');
  expect(lines).toEqual(Array.from({ length: 200 }, () => ['start', 'end']).flat());
  expect(openFiles(process.pid)).toBeLessThanOrEqual(before + 2);
  expect(zombiesOf(process.pid)).toBe(0);
  await queues.stop();
});

test('ended jobs beyond the history go, with their folders', async () => {
  const folder = temporaryFolder();
  const { journal } = temporaryJournal(folder);
  const history = { idsMs: 1e12, keep: 2, maxAgeMs: 1e12, every: 20 };
  const queues = queuesOf({ journal, runner: temporaryRunner(), history });
  await queues.start();
  for (let i = 0; i < 6; i += 1) queues.add(jobRequest());
  await queues.drain('default', forever);
  await until(() => queues.list({}).length === 2 && journal.leftovers(10).length === 0, 'the retention');
  expect(queues.list({}).map(({ id }) => id)).toEqual([5, 6]);
  await until(() => readdirSync(join(folder, 'jobs')).sort().join() === '5,6', 'the folders');
  await queues.stop();
});
