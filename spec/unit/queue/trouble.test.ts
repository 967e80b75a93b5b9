import { expect, onTestFinished, test, vi } from 'vitest';
import { TriggerdError } from '../../../src/domain/errors.ts';
import type { JobRequest } from '../../../src/domain/job.ts';
import type { Journal } from '../../../src/queue/ports/journal.ts';
import type { Plugins } from '../../../src/queue/ports/plugins.ts';
import type { LaunchPlan, Runner } from '../../../src/queue/ports/runner.ts';
import type { Queues } from '../../../src/queue/queues.ts';
import { firing } from '../../support/firings.ts';
import { jobRequest } from '../../support/jobs.ts';
import { memoryJournal } from '../../support/memory-journal.ts';
import { planOf } from '../../support/plans.ts';
import { accept, heldRunner, instantRunner, plainPlugins, queuesOf } from '../../support/queues.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/wait.ts';

const forever = new AbortController().signal;
const gone = new TriggerdError('plugin-not-found', 'there is no plugin “gone”');
const noJournal = new TriggerdError('journal-failed', 'disk I/O error');
const noFolder = new TriggerdError('state-unusable', 'No space left on device');

/** Plugins of which those named `gone` are. */
const withoutSome = (changes: Partial<Plugins> = {}): Plugins => {
  const plain = plainPlugins();
  const find = ({ plugin }: JobRequest): void => {
    if (plugin === 'gone') throw gone;
  };
  return {
    ...plain,
    obstacle: async (job) => find(job.request) ?? null,
    prepare: async (job) => {
      find(job.request);
      return plain.prepare(job);
    },
    ...changes,
  };
};

const start = async (parts: { journal?: Journal; runner?: Runner; plugins?: Plugins; slots?: number }) => {
  const log = recordingLog();
  const queues = queuesOf({
    journal: memoryJournal().journal,
    runner: instantRunner(),
    queues: [{ name: 'default', slots: parts.slots ?? 1, maxQueued: 1000 }],
    ...parts,
    log,
  });
  onTestFinished(() => queues.stop());
  await queues.start();
  return { queues, log };
};

const add = (queues: Queues, count: number): void => {
  for (let i = 0; i < count; i += 1) queues.add(jobRequest());
};

test('an outage causes one backoff and two lines in the log, however many jobs fail; then everything runs', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  let isDown = true;
  let looks = 0;
  const obstacle = async () => {
    looks += 1;
    if (isDown) throw noJournal;
    return null;
  };
  const { queues, log } = await start({ plugins: plainPlugins({ obstacle }), slots: 3 });
  add(queues, 20);
  await vi.advanceTimersByTimeAsync(60_000);
  // Twelve rounds of the three slots; were there a timer a job, there would be twelve rounds of twenty.
  expect(looks).toBeGreaterThan(4);
  expect(looks).toBeLessThan(40);
  expect(log.at('error')).toHaveLength(1);
  isDown = false;
  await vi.advanceTimersByTimeAsync(15_000);
  expect(queues.list({ states: ['finished'] })).toHaveLength(20);
  expect(log.at('error')).toHaveLength(1);
  expect(log.at('info')).toMatchObject([{ fields: { queue: 'default' } }]);
});

test('a journal that cannot be read throws neither out of a timer nor out of the queue’s caller', async () => {
  let isDown = false;
  const { journal } = memoryJournal();
  const count: Journal['count'] = (...args) => {
    if (isDown) throw noJournal;
    return journal.count(...args);
  };
  const { queues } = await start({ journal: { ...journal, count } });
  queues.pause('default');
  add(queues, 2);
  isDown = true;
  queues.resume('default');
  await new Promise((resolve) => setTimeout(resolve, 700));
  isDown = false;
  await queues.waitFor(2, forever);
});

test('a job whose plugin is missing ends as failed-to-start, and says why; the queue continues', async () => {
  const { queues } = await start({ plugins: withoutSome() });
  queues.pause('default');
  queues.add(jobRequest({ plugin: 'gone' }));
  accept(queues, firing(), jobRequest({ plugin: 'gone', source: 'firing' }));
  queues.add(jobRequest());
  queues.resume('default');
  expect(await queues.waitFor(3, forever)).toMatchObject({ result: { kind: 'succeeded' } });
  for (const id of [1, 2])
    expect(queues.get(id)).toMatchObject({
      startedAt: null,
      result: { kind: 'failed-to-start', reason: gone.message },
    });
});

test('a deferred job whose plugin vanishes ends, too', async () => {
  let isGone = false;
  let look: () => void = () => undefined;
  const obstacle = async () => {
    if (isGone) throw gone;
    return { reason: 'locked', paths: ['/run/lock'] };
  };
  const { journal } = memoryJournal();
  const queues = queuesOf({
    journal,
    runner: instantRunner(),
    plugins: plainPlugins({ obstacle }),
    watchPaths: (_paths, onChange) => {
      look = onChange;
      return () => undefined;
    },
  });
  onTestFinished(() => queues.stop());
  await queues.start();
  add(queues, 1);
  await until(() => queues.summary()[0]?.deferred === 1, 'the deferral');
  isGone = true;
  look();
  expect(await queues.waitFor(1, forever)).toMatchObject({ result: { kind: 'failed-to-start' } });
});

test('a job that the system kept from being checked is deferred, with the reason; others continue', async () => {
  const obstacle: Plugins['obstacle'] = async (job) => {
    if (job.id === 1) throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
    return null;
  };
  const { queues } = await start({ plugins: plainPlugins({ obstacle }) });
  add(queues, 2);
  await queues.waitFor(2, forever);
  expect(queues.get(1)).toMatchObject({ state: 'queued', deferral: { reason: expect.stringContaining('EIO') } });
});

/** A runner that can start nothing until it is mended, and finds nothing begun in the folders. */
const brokenRunner = () => {
  const held = heldRunner();
  let isBroken = true;
  const run = (folder: string, plan: LaunchPlan) => (isBroken ? Promise.reject(noFolder) : held.run(folder, plan));
  const mend = () => {
    isBroken = false;
  };
  return { held, mend, runner: { ...held, run, adopt: async () => 'never-started' as const } };
};

test('a state folder that cannot be written ends no job: the job stays owed, and runs when there is space', async () => {
  const { held, mend, runner } = brokenRunner();
  const { queues, log } = await start({ runner });
  accept(queues, firing(), jobRequest({ source: 'firing' }));
  await until(() => log.at('error').length === 1, 'the rest');
  expect(queues.get(1)).toMatchObject({ state: 'queued', attempt: 0 });
  expect(log.at('error')[0]).toMatchObject({ fields: { error: noFolder } });
  mend();
  await until(() => held.running.length === 1, 'the start');
  held.endOne();
  expect(await queues.waitFor(1, forever)).toMatchObject({ attempt: 1, result: { kind: 'succeeded' } });
});

test('a journal that fails while a job is prepared does not end the job', async () => {
  let failures = 2;
  const prepare = async () => {
    failures -= 1;
    if (failures >= 0) throw noJournal;
    return planOf(['/bin/true']);
  };
  const { queues } = await start({ plugins: plainPlugins({ prepare }) });
  add(queues, 1);
  expect(await queues.waitFor(1, forever)).toMatchObject({ attempt: 1, result: { kind: 'succeeded' } });
});

test('a job that was started although its runner did not answer is adopted, not started again', async () => {
  let starts = 0;
  const ending = { ...heldRunner(), adopt: async () => 'lost' as const };
  const run = () => {
    starts += 1;
    return Promise.reject(noFolder);
  };
  const { queues } = await start({ runner: { ...ending, run } });
  add(queues, 1);
  expect(await queues.waitFor(1, forever)).toMatchObject({ result: { kind: 'interrupted' } });
  expect(starts).toBe(1);
});

test('a job whose folder cannot be read keeps its slot until it can be, or until the job is killed', async () => {
  const { journal } = memoryJournal();
  for (let i = 0; i < 2; i += 1) journal.add({ request: jobRequest(), command: 'true', coalescingKey: null, at: 1 });
  journal.start(1, 2);
  const adopt = () => Promise.reject(noFolder);
  const { queues, log } = await start({ journal, runner: { ...instantRunner(), adopt, kill: adopt } });
  await until(() => log.at('error').length === 1, 'the first look');
  expect(queues.list({}).map(({ state }) => state)).toEqual(['running', 'queued']);
  await expect(queues.kill(1)).rejects.toThrow(noFolder.message);
  expect(await queues.waitFor(2, forever)).toMatchObject({ result: { kind: 'succeeded' } });
  expect(queues.get(1)).toMatchObject({ result: { kind: 'interrupted' } });
});
