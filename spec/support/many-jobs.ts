import { expect } from 'vitest';
import { jobRequest } from './jobs.ts';
import { temporaryFolder, temporaryJournal } from './journal.ts';
import { instantRunner, queuesOf } from './queues.ts';

const megabytes = (): number => Math.round(process.memoryUsage.rss() / 1e6);
const forever = new AbortController().signal;

const timed = <T>(what: string, work: () => T): T => {
  const startedMs = performance.now();
  const result = work();
  console.log(`${what}: ${(performance.now() - startedMs).toFixed(1)} ms`);
  return result;
};

/** So many jobs are accepted, listed in pages, and drained in order, in bounded memory (C1). Prints how long each took. */
export const queueMany = async (jobs: number): Promise<void> => {
  const before = megabytes();
  let last = 0;
  let isInOrder = true;
  const runner = instantRunner((folder) => {
    const id = Number(folder.split('/').at(-1));
    isInOrder &&= id === last + 1;
    last = id;
  });
  // In memory: three commits each to a disk take a minute and say nothing about us.
  const { journal } = temporaryJournal(temporaryFolder('/dev/shm'));
  const queues = queuesOf({ journal, runner });
  timed(`accept ${jobs}`, () => {
    for (let i = 0; i < jobs; i += 1) queues.add(jobRequest({ argv: ['/bin/true', String(i)] }));
  });
  console.log(`memory: ${before} MB before, ${megabytes()} MB with ${jobs} queued`);
  expect(timed('a page of 100', () => queues.list({ limit: 100, afterId: jobs / 2 }))[0]?.id).toBe(jobs / 2 + 1);
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
  // Of this alone: the process has run other files before.
  expect(megabytes() - before).toBeLessThan(220);
  await queues.stop();
};
