import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JobRequest } from '../../../src/domain/job.ts';
import type { Journal } from '../../../src/queue/ports/journal.ts';
import type { Queues } from '../../../src/queue/queues.ts';
import { jobRequest } from '../../support/jobs.ts';
import { memoryJournal } from '../../support/memory-journal.ts';
import { type HeldRunner, heldRunner, queuesOf } from '../../support/queues.ts';
import { until } from '../../support/wait.ts';

let journal: Journal;
let runner: HeldRunner;
let queues: Queues;
let now: number;

const start = async (): Promise<void> => {
  runner = heldRunner();
  queues = queuesOf({
    journal,
    runner,
    clock: { now: () => now },
    queues: ['default', 'wide'].map((name) => ({ name, slots: name === 'wide' ? 2 : 1, maxQueued: 5 })),
  });
  await queues.start();
};

beforeEach(async () => {
  journal = memoryJournal().journal;
  now = Date.now();
  await start();
});
afterEach(() => queues.stop());

const add = (changes: Partial<JobRequest> = {}) => queues.add(jobRequest({ argv: ['work'], ...changes })).id;
const stateOf = (id: number) => {
  const job = queues.get(id);
  return job.state === 'skipped' ? `skipped: ${job.reason}` : job.state;
};
const running = (id: number) => until(() => stateOf(id) === 'running', `job ${id} to run`);
const endOne = async (id: number, exitCode = 0): Promise<void> => {
  await running(id);
  runner.endOne(exitCode);
  await until(() => stateOf(id) === 'finished', `the end of job ${id}`);
};
const failing = (work: () => unknown): unknown => {
  try {
    work();
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
  return undefined;
};

test('a job that needs the success of others starts when all of them have succeeded', async () => {
  const [a, b] = [add(), add({ queue: 'wide' })];
  const both = add({ queue: 'wide', ifOk: [a, b] });
  await endOne(a);
  expect(stateOf(both)).toBe('queued');
  await endOne(b);
  await running(both);
});

test('a job is skipped as soon as one of those it needs has not succeeded, with the reason, and so are its own dependents', async () => {
  const bad = add();
  const other = add();
  const needsBoth = add({ ifOk: [other, bad] });
  const needsThat = add({ ifOk: [needsBoth], queue: 'wide' });
  const comesAfter = add({ after: needsThat, queue: 'wide' });
  await endOne(bad, 3);
  expect(stateOf(other)).toBe('running');
  expect(stateOf(needsBoth)).toBe('skipped: job 1 failed with exit code 3');
  expect(stateOf(needsThat)).toBe('skipped: job 3 was skipped');
  await running(comesAfter);
});

test('a killed or removed job has not succeeded', async () => {
  const killed = add();
  const afterKill = add({ ifOk: [killed], queue: 'wide' });
  await running(killed);
  await queues.kill(killed);
  await until(() => stateOf(afterKill) === 'skipped: job 1 was killed by SIGTERM', 'the end of the waiting job');
  queues.pause('default');
  const removed = add();
  const afterRemoval = add({ ifOk: [removed], queue: 'wide' });
  queues.remove(removed);
  expect(stateOf(afterRemoval)).toBe(`skipped: job ${removed} was skipped`);
});

test('a job’s success also counts when it had ended before, and no job waits for an unknown one', async () => {
  const [good, bad] = [add(), add()];
  await endOne(good);
  await endOne(bad, 1);
  expect(stateOf(add({ ifOk: [bad] }))).toBe(`skipped: job ${bad} failed with exit code 1`);
  await running(add({ ifOk: [good] }));
  expect(failing(() => add({ ifOk: [99] }))).toBe('job-not-found');
});

test('an ended job’s result for its dependents outlives the job’s deletion, and a restart', async () => {
  const [bad, slow] = [add({ queue: 'wide' }), add({ queue: 'wide' })];
  queues.pause('default');
  const waiting = add({ after: bad, ifOk: [slow] });
  await endOne(bad, 1);
  queues.clear();
  await queues.stop();
  await start();
  // The runner of the restarted daemon has lost it.
  await until(() => stateOf(waiting) === `skipped: job ${slow} was interrupted`, 'the end of the waiting job');
});

test('a delayed job starts at its time, others overtake it, and the journal keeps the time', async () => {
  const delayed = add({ notBefore: now + 60_000 });
  const next = add();
  await endOne(next);
  expect(stateOf(delayed)).toBe('queued');
  await queues.stop();
  now += 59_000;
  await start();
  expect(stateOf(delayed)).toBe('queued');
  await queues.stop();
  now += 1000;
  await start();
  await running(delayed);
});

test('a delayed job is started by the clock, without any other event', async () => {
  const delayed = add({ notBefore: now + 50 });
  now += 50;
  await running(delayed);
});

test('a delayed job that needs another one’s success waits for both', async () => {
  const first = add();
  const waiting = add({ ifOk: [first], notBefore: now + 60_000 });
  await endOne(first);
  expect(journal.head('default')).toBeUndefined();
  now += 60_000;
  const later = add({ notBefore: now + 1 }); // makes the room look at its clock
  await running(waiting);
  expect(stateOf(later)).toBe('queued');
});

test('a job replaces the queued one with its key, in its place, and dependents wait for the new one', async () => {
  const blocker = add();
  await running(blocker);
  const old = add({ key: 'k', argv: ['old'] });
  const last = add();
  const dependent = add({ ifOk: [old], queue: 'wide' });
  const [fresh, elsewhere] = [add({ key: 'k', argv: ['new'] }), add({ key: 'k', queue: 'wide', after: blocker })];
  expect(stateOf(old)).toBe(`skipped: replaced by job ${fresh}`);
  expect(stateOf(dependent)).toBe('queued');
  expect(stateOf(elsewhere)).toBe('queued');
  expect(queues.list({ queue: 'default', states: ['queued'] }).map(({ id }) => id)).toEqual([fresh, last]);
  await endOne(blocker);
  await running(fresh);
  expect(add({ key: 'k' })).not.toBe(fresh);
  expect(stateOf(fresh)).toBe('running');
});

test('a job with keep leaves the queued job in place, and the answer says that nothing is new', async () => {
  await running(add());
  const first = queues.offer(jobRequest({ key: 'k' }), { onKey: 'keep' });
  const second = queues.offer(jobRequest({ key: 'k', argv: ['other'] }), { onKey: 'keep' });
  expect([first.isNew, second]).toEqual([true, { job: first.job, isNew: false }]);
});

test('a job can be replaced in a full queue', async () => {
  await running(add());
  for (let i = 0; i < 5; i += 1) add({ key: String(i) });
  expect(failing(() => add({ key: 'new' }))).toBe('queue-full');
  expect(stateOf(add({ key: '3' }))).toBe('queued');
});

test('unless-queued adds nothing while a queued job would do the same, and a running one does not count', async () => {
  const running1 = add();
  await running(running1);
  const offer = (changes: Partial<JobRequest> = {}) =>
    queues.offer(jobRequest({ argv: ['work'], ...changes }), { unlessQueued: true });
  const first = offer();
  expect(first.isNew).toBe(true);
  expect(offer({ label: 'only for people' })).toMatchObject({ isNew: false, job: { id: first.job.id } });
  for (const different of [{ env: { A: '1' } }, { cwd: '/tmp' }, { payload: 'x' }, { queue: 'wide', after: running1 }])
    expect(offer(different).isNew).toBe(true);
});

test('a retried job has no key, waits for nothing and is not delayed', async () => {
  const first = add();
  await endOne(first);
  const job = add({ ifOk: [first], key: 'k', notBefore: now - 1 });
  await endOne(job);
  const { request } = queues.retry(job);
  expect([request.ifOk, request.key, request.notBefore]).toEqual([undefined, undefined, undefined]);
});
