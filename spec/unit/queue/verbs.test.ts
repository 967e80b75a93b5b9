import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Job } from '../../../src/domain/job.ts';
import type { Journal } from '../../../src/queue/ports/journal.ts';
import type { Queues } from '../../../src/queue/queues.ts';
import { firing } from '../../support/firings.ts';
import { jobRequest } from '../../support/jobs.ts';
import { memoryJournal } from '../../support/memory-journal.ts';
import { accept, type HeldRunner, heldRunner, plainPlugins, queuesOf } from '../../support/queues.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/wait.ts';

let journal: Journal;
let runner: HeldRunner;
let queues: Queues;
const forever = new AbortController().signal;

beforeEach(async () => {
  journal = memoryJournal().journal;
  runner = heldRunner();
  queues = queuesOf({
    journal,
    runner,
    queues: [
      { name: 'default', slots: 1, maxQueued: 5 },
      { name: 'requests', slots: 3, maxQueued: 5 },
    ],
  });
  await queues.start();
});
afterEach(() => queues.stop());

const add = (changes = {}) => queues.add(jobRequest(changes));
const runs = (count: number) => until(() => runner.running.length === count, `${count} running`);
const queued = (queue = 'default') => queues.list({ queue, states: ['queued'] }).map(({ id }) => id);
const states = () => queues.list({}).map(({ id, state }) => `${id} ${state}`);
const failing = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
};

/** Ends running jobs until nothing is left; the ids in the order in which they started. */
const orderOfAll = async (): Promise<number[]> => {
  const order: number[] = [];
  while (queues.summary().some(({ queued, running }) => queued + running > 0)) {
    await until(() => runner.running.length > 0, 'a running job');
    order.push(Number(runner.running[0]?.split('/').at(-1)));
    runner.endOne();
    await until(() => queues.get(order.at(-1) ?? 0).state === 'finished', 'its end');
  }
  return order;
};

test('jobs run one after the other in the order of their addition', async () => {
  for (let i = 0; i < 4; i += 1) add();
  await runs(1);
  expect(states()).toEqual(['1 running', '2 queued', '3 queued', '4 queued']);
  expect(await orderOfAll()).toEqual([1, 2, 3, 4]);
});

test('urgent moves a job to the head, and the last urgent one is first', async () => {
  for (let i = 0; i < 4; i += 1) add();
  await runs(1);
  queues.makeUrgent(3);
  queues.makeUrgent(4);
  add({ urgent: true });
  expect(await orderOfAll()).toEqual([1, 5, 4, 3, 2]);
});

test('swap exchanges the places of two jobs', async () => {
  for (let i = 0; i < 4; i += 1) add();
  await runs(1);
  queues.swap(2, 4);
  expect(queued()).toEqual([4, 3, 2]);
  expect(failing(() => queues.swap(1, 2))).toBe('job-state');
  expect(await orderOfAll()).toEqual([1, 4, 3, 2]);
});

test('a job waits for the job that it runs after, and others overtake', async () => {
  queues.setSlots('default', 2);
  add();
  add({ after: 1 });
  add();
  await runs(2);
  expect(states()).toEqual(['1 running', '3 running', '2 queued']);
  runner.endOne(1);
  await until(() => queues.get(2).state === 'running', 'the dependent job');
  expect(failing(() => add({ after: 99 }))).toBe('job-not-found');
});

test('a job may run after one of another queue, however that ends', async () => {
  queues.pause('requests');
  const first = add({ queue: 'requests' });
  const second = add({ after: first.id });
  queues.remove(first.id);
  await until(() => queues.get(second.id).state === 'running', 'the dependent job');
});

test('pause starts no more jobs, and resume continues', async () => {
  add();
  add();
  await runs(1);
  queues.pause('default');
  runner.endOne();
  await until(() => queues.get(1).state === 'finished', 'the end of job 1');
  expect(queues.summary()[0]).toMatchObject({ paused: true, queued: 1, running: 0 });
  queues.resume('default');
  await until(() => queues.get(2).state === 'running', 'job 2');
});

test('slots can be changed while jobs run, and are remembered', async () => {
  for (let i = 0; i < 5; i += 1) add();
  await runs(1);
  queues.setSlots('default', 3);
  await runs(3);
  queues.setSlots('default', 1);
  runner.endOne();
  runner.endOne();
  await until(() => queues.get(2).state === 'finished', 'the end of job 2');
  expect(runner.running.length).toBe(1);
  expect(journal.queueSettings('default')).toEqual({ paused: false, slots: 1 });
  expect(failing(() => queues.setSlots('default', 0))).toBe('input-invalid');
});

test('remove takes only queued jobs', async () => {
  add();
  add();
  await runs(1);
  expect(queues.remove(2)).toMatchObject({ state: 'skipped', reason: 'removed' });
  expect(failing(() => queues.remove(1))).toBe('job-state');
  expect(failing(() => queues.remove(2))).toBe('job-state');
  expect(failing(() => queues.remove(77))).toBe('job-not-found');
});

test('kill ends a running job and refuses any other', async () => {
  add();
  add();
  await runs(1);
  await queues.kill(1);
  expect(await queues.waitFor(1, forever)).toMatchObject({ result: { kind: 'killed', signal: 'SIGTERM' } });
  await expect(queues.kill(1)).rejects.toMatchObject({ code: 'job-state' });
  queues.pause('default');
  add();
  await expect(queues.kill(3)).rejects.toMatchObject({ code: 'job-state', message: expect.stringContaining('remove') });
});

test('a job that is killed while it is prepared never starts', async () => {
  let go: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const plain = plainPlugins();
  const plugins = plainPlugins({ prepare: (job) => gate.then(() => plain.prepare(job)) });
  const own = queuesOf({ journal: memoryJournal().journal, runner, plugins });
  await own.start();
  const { id } = own.add(jobRequest());
  await until(() => own.get(id).state === 'running', 'the preparation');
  await own.kill(id);
  go();
  expect(await own.waitFor(id, forever)).toMatchObject({ result: { kind: 'killed' }, startedAt: null });
  expect(runner.running).toEqual([]);
  await own.stop();
});

test('retry adds a new job with the same request', async () => {
  add({ label: 'again' });
  await runs(1);
  expect(failing(() => queues.retry(1))).toBe('job-state');
  runner.endOne(3);
  await queues.waitFor(1, forever);
  expect(queues.retry(1)).toMatchObject({ id: 2, request: { label: 'again' }, firings: [] });
});

test('clear forgets ended jobs of one queue or of all', async () => {
  add();
  add({ queue: 'requests' });
  await runs(2);
  runner.endOne();
  runner.endOne();
  await Promise.all([queues.waitFor(1, forever), queues.waitFor(2, forever)]);
  expect(queues.clear('requests')).toBe(1);
  expect(states()).toEqual(['1 finished']);
  expect(queues.clear()).toBe(1);
  expect(failing(() => queues.clear('nope'))).toBe('queue-not-found');
});

test('a full queue refuses people, never a firing', async () => {
  queues.pause('default');
  for (let i = 0; i < 5; i += 1) add();
  expect(failing(() => add())).toBe('queue-full');
  expect(accept(queues, firing(), jobRequest({ source: 'firing' }))?.kind).toBe('queued');
});

test('drain refuses new jobs until the queue is empty', async () => {
  add();
  add();
  await runs(1);
  const drained = queues.drain('default', forever);
  expect(failing(() => add())).toBe('draining');
  expect(await orderOfAll()).toEqual([1, 2]);
  await drained;
  expect(add().state).toBe('queued');
});

test('a drain can be cancelled', async () => {
  add();
  const giveUp = new AbortController();
  const drained = queues.drain('default', giveUp.signal);
  giveUp.abort(new Error('enough'));
  await expect(drained).rejects.toThrow('enough');
  expect(add().state).toBe('queued');
});

test('waitFor returns the ended job immediately, or when it ends, or gives up', async () => {
  add();
  const giveUp = new AbortController();
  const given = queues.waitFor(1, giveUp.signal);
  giveUp.abort(new Error('enough'));
  await expect(given).rejects.toThrow('enough');
  const waited = queues.waitFor(1, forever);
  await runs(1);
  runner.endOne(4);
  expect(await waited).toMatchObject({ result: { kind: 'failed', exitCode: 4 } });
  expect(await queues.waitFor(1, forever)).toMatchObject({ id: 1 });
});

test('an error that a listener throws is logged and harms nobody', async () => {
  const log = recordingLog();
  const own = queuesOf({ journal: memoryJournal().journal, runner, log });
  const seen: Job['state'][] = [];
  own.onChange(() => {
    throw new Error('listener');
  });
  own.onChange((job) => seen.push(job.state));
  await own.start();
  own.add(jobRequest());
  await runs(1);
  runner.endOne();
  await own.waitFor(1, forever);
  expect(seen).toEqual(['queued', 'running', 'finished']);
  expect(log.at('error').length).toBe(3);
  await own.stop();
});

test('a plugin that cannot be prepared ends the job, with the reason', async () => {
  const plugins = plainPlugins({
    prepare: async () => {
      throw new Error('the plugin is gone');
    },
  });
  const own = queuesOf({ journal: memoryJournal().journal, runner, plugins });
  await own.start();
  own.add(jobRequest());
  expect(await own.waitFor(1, forever)).toMatchObject({
    startedAt: null,
    result: { kind: 'failed-to-start', reason: 'the plugin is gone' },
  });
  await own.stop();
});

describe('deferral', () => {
  const deferring = async (parts: Parameters<typeof plainPlugins>[0]) => {
    let notify: () => void = () => undefined;
    const watched: string[][] = [];
    const own = queuesOf({
      journal: memoryJournal().journal,
      runner,
      plugins: plainPlugins(parts),
      watchPaths: (paths, onChange) => {
        watched.push([...paths]);
        notify = onChange;
        return () => undefined;
      },
    });
    await own.start();
    return { own, watched, notify: () => notify() };
  };
  const locked = { reason: 'agent lock', paths: ['/run/agent.lock'] };

  test('a job with an obstacle is passed over, and returns to its place', async () => {
    let isLocked = true;
    const { own, watched, notify } = await deferring({
      obstacle: async ({ request }) => (isLocked && request.label === 'puppet' ? locked : null),
    });
    own.add(jobRequest({ label: 'puppet' }));
    own.add(jobRequest());
    own.add(jobRequest());
    await until(() => own.get(2).state === 'running', 'the next job');
    expect(own.get(1)).toMatchObject({ state: 'queued', attempt: 0, deferral: { reason: 'agent lock' } });
    expect(own.summary()[0]?.deferred).toBe(1);
    expect(watched).toEqual([['/run/agent.lock']]);
    isLocked = false;
    notify();
    await until(() => own.summary()[0]?.deferred === 0, 'the release');
    runner.endOne();
    await until(() => own.get(1).state === 'running', 'the released job before the third');
    await own.stop();
  });

  test('a run that did not happen goes back to the queue and runs again', async () => {
    let conclusions = 0;
    const plain = plainPlugins();
    const { own, notify } = await deferring({
      conclude: async (job, ending) => {
        conclusions += 1;
        return conclusions === 1 ? { kind: 'deferred', deferral: locked } : plain.conclude(job, ending);
      },
    });
    own.add(jobRequest());
    await runs(1);
    runner.endOne(1);
    await until(() => own.summary()[0]?.deferred === 1, 'the deferral');
    notify();
    await runs(1);
    runner.endOne(0);
    expect(await own.waitFor(1, forever)).toMatchObject({ attempt: 2, result: { kind: 'succeeded' } });
    await own.stop();
  });
});

test('a job that no runner accepts stays queued and is tried again', async () => {
  const log = recordingLog();
  let refusals = 1;
  const held = heldRunner();
  const reluctant = {
    ...held,
    run: (folder: string, plan: never) =>
      refusals-- > 0 ? Promise.resolve('never-started' as const) : held.run(folder, plan),
  };
  const own = queuesOf({ journal: memoryJournal().journal, runner: reluctant, log });
  await own.start();
  own.add(jobRequest());
  await until(() => held.running.length === 1, 'the second attempt');
  expect(own.get(1)).toMatchObject({ state: 'running', attempt: 1 });
  expect(log.at('error').length).toBe(1);
  await own.stop();
});
