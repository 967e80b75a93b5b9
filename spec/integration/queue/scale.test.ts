import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { jobRequest } from '../../support/jobs.ts';
import { temporaryFolder, temporaryJournal } from '../../support/journal.ts';
import { queueMany } from '../../support/many-jobs.ts';
import { openFiles, temporaryRunner, zombiesOf } from '../../support/processes.ts';
import { queuesOf } from '../../support/queues.ts';
import { until } from '../../support/wait.ts';

const forever = new AbortController().signal;

test('10,000 queued jobs: accepted, listed in pages, drained in order', () => queueMany(10_000));

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
  // One that has just ended is there until our next turn.
  await until(() => zombiesOf(process.pid) === 0, 'no zombie to be left');
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
