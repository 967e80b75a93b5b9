import { expect, test } from 'vitest';
import type { Runner } from '../../../src/queue/ports/runner.ts';
import { jobRequest } from '../../support/jobs.ts';
import { memoryJournal } from '../../support/memory-journal.ts';
import { heldRunner, plainPlugins, queuesOf } from '../../support/queues.ts';
import { until } from '../../support/wait.ts';

const forever = new AbortController().signal;

/** A runner that dies with its job so many times, then holds jobs as any other. */
const mortal = (deaths: number) => {
  const held = heldRunner();
  let left = deaths;
  const run: Runner['run'] = (folder, plan) => (left-- > 0 ? Promise.resolve('lost' as const) : held.run(folder, plan));
  return { held, runner: { ...held, run } };
};

const start = async (deaths: number, isRerun: boolean) => {
  const { held, runner } = mortal(deaths);
  const plugins = plainPlugins({ isRerunAfterLoss: () => isRerun });
  const queues = queuesOf({ journal: memoryJournal().journal, runner, plugins });
  await queues.start();
  return { held, queues };
};

test('an interrupted job runs again when its plugin says so, before later jobs, with a growing attempt number', async () => {
  const { held, queues } = await start(2, true);
  queues.add(jobRequest());
  queues.add(jobRequest());
  await until(() => held.running.length === 1, 'the third start');
  expect(queues.get(1)).toMatchObject({ state: 'running', attempt: 3 });
  expect(queues.get(2)).toMatchObject({ state: 'queued', attempt: 0 });
  held.endOne();
  expect(await queues.waitFor(1, forever)).toMatchObject({ result: { kind: 'succeeded' }, attempt: 3 });
  await queues.stop();
});

test('a job that crashes its runner each time is given up after the maximum of attempts, and the queue continues', async () => {
  const { held, queues } = await start(3, true);
  queues.add(jobRequest());
  queues.add(jobRequest());
  expect(await queues.waitFor(1, forever)).toMatchObject({
    attempt: 3,
    result: { kind: 'interrupted', reason: expect.stringContaining('started 3 times') },
  });
  await until(() => held.running.length === 1, 'the next job');
  await queues.stop();
});

test('an interrupted job whose plugin does not say so ends as interrupted immediately', async () => {
  const { queues } = await start(1, false);
  queues.add(jobRequest());
  expect(await queues.waitFor(1, forever)).toMatchObject({ attempt: 1, result: { kind: 'interrupted' } });
  await queues.stop();
});
