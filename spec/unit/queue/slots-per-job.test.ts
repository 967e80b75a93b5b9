import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Journal } from '../../../src/queue/ports/journal.ts';
import type { Queues } from '../../../src/queue/queues.ts';
import { jobRequest } from '../../support/jobs.ts';
import { memoryJournal } from '../../support/memory-journal.ts';
import { type HeldRunner, heldRunner, queuesOf } from '../../support/queues.ts';
import { until } from '../../support/wait.ts';

let journal: Journal;
let runner: HeldRunner;
let queues: Queues;

const start = async (parts: Partial<HeldRunner> = {}): Promise<void> => {
  runner = { ...heldRunner(), ...parts };
  queues = queuesOf({ journal, runner, queues: [{ name: 'default', slots: 4, maxQueued: 100 }] });
  await queues.start();
};
beforeEach(async () => {
  journal = memoryJournal().journal;
  await start();
});
afterEach(() => queues.stop());

const add = (slots = 1): number => queues.add(jobRequest(slots === 1 ? {} : { slots })).id;
const running = () => queues.list({ states: ['running'] }).map(({ id }) => id);
const runs = (...ids: number[]) => until(() => running().join() === ids.join(), `${ids} to run, not ${running()}`);
const settled = async (): Promise<void> => {
  for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve));
};

test('a job with several slots starts when they are free, and later jobs wait behind it', async () => {
  for (const slots of [1, 1, 3, 1]) add(slots);
  await runs(1, 2);
  await settled();
  expect(running()).toEqual([1, 2]);
  runner.endOne();
  await runs(2, 3);
  await settled();
  expect(running()).toEqual([2, 3]);
  runner.endOne();
  await runs(3, 4);
});

test('no more slots are taken than the queue has, however many jobs wait at once', async () => {
  for (const slots of [4, 1, 1, 2, 2]) add(slots);
  await runs(1);
  await settled();
  expect(running()).toEqual([1]);
  expect([queues.slots('default'), queues.free('default')]).toEqual([4, 0]);
  runner.endOne();
  await runs(2, 3, 4);
  runner.endOne();
  runner.endOne();
  await runs(4, 5);
});

test('a job that needs more slots than the queue has takes all', async () => {
  for (const slots of [1, 9, 1]) add(slots);
  await runs(1);
  runner.endOne();
  await runs(2);
  await settled();
  expect(running()).toEqual([2]);
  runner.endOne();
  await runs(3);
});

test('a big job waits until small ones have ended also after the queue has become smaller', async () => {
  for (const slots of [1, 1, 3]) add(slots);
  await runs(1, 2);
  queues.setSlots('default', 2);
  runner.endOne();
  await settled();
  expect(running()).toEqual([2]);
  runner.endOne();
  await runs(3);
});

test('an adopted job keeps all its slots until it has ended', async () => {
  add(3);
  await runs(1);
  await queues.stop();
  let end: () => void = () => undefined;
  await start({
    adopt: () =>
      new Promise((resolve) => {
        end = () => resolve('lost');
      }),
  });
  for (const slots of [1, 1]) add(slots);
  await runs(1, 2);
  await settled();
  expect(running()).toEqual([1, 2]);
  end();
  await runs(2, 3);
});
