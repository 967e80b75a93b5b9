import { expect, test } from 'vitest';
import { coalescingKeyOf } from '../../../src/queue/verbs/add.ts';
import { firing } from '../../support/firings.ts';
import { jobRequest } from '../../support/jobs.ts';
import { memoryJournal } from '../../support/memory-journal.ts';
import { accept, heldRunner, queuesOf } from '../../support/queues.ts';
import { until } from '../../support/wait.ts';

const request = (changes = {}) => jobRequest({ source: 'firing', plugin: 'puppet', ...changes });

test('the coalescing key depends on what runs, not on the order of names and the label', () => {
  const base = request({ env: { A: '1', B: '2' }, args: { x: '1', y: '2' } });
  const same = request({ env: { B: '2', A: '1' }, args: { y: '2', x: '1' }, label: 'other' });
  expect(coalescingKeyOf(same)).toBe(coalescingKeyOf(base));
  const changes = [
    { queue: 'requests' },
    { plugin: 'other' },
    { argv: ['-t'] },
    { args: { x: '1' } },
    { env: {} },
    { noop: true },
    { cwd: '/tmp' },
    { payload: '' },
    { timeoutMs: 1 },
  ];
  const keys = new Set(changes.map((change) => coalescingKeyOf({ ...base, ...change })));
  expect(keys.size).toBe(changes.length);
  expect(keys.has(coalescingKeyOf(base))).toBe(false);
  expect(coalescingKeyOf({ ...base, source: 'cli' })).toBeNull();
});

test('1,000 firings during a run add exactly one run', async () => {
  const { journal, firings } = memoryJournal();
  const runner = heldRunner();
  const queues = queuesOf({ journal, runner });
  await queues.start();
  accept(queues, firing(), request());
  await until(() => runner.running.length === 1, 'the first run');
  for (let i = 0; i < 1000; i += 1) accept(queues, firing(), request());
  expect(queues.summary()[0]).toMatchObject({ queued: 1, running: 1 });
  runner.endOne();
  await until(() => runner.running.length === 1 && queues.get(2).state === 'running', 'the second run');
  runner.endOne();
  await until(() => queues.get(2).state === 'finished', 'its end');
  expect(queues.summary()[0]).toMatchObject({ queued: 0, running: 0 });
  expect(queues.get(2).firings.length).toBe(1000);
  expect(firings.ofJob(2).length).toBe(1000);
  await queues.stop();
});

test('a firing that was seen before is answered with what is known of it', async () => {
  const queues = queuesOf({ journal: memoryJournal().journal, runner: heldRunner() });
  const once = firing();
  accept(queues, once, request());
  expect(accept(queues, once, request())).toMatchObject({ kind: 'known', logged: { jobId: 1, refusal: null } });
  const refused = firing();
  queues.take([{ firing: refused, refusal: 'not allowed here', at: 1 }]);
  expect(accept(queues, refused, request())).toMatchObject({ kind: 'known', logged: { refusal: 'not allowed here' } });
});

/** mulberry32: small, seeded, good enough to shuffle. */
const randomFrom = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

test('a run that started after its acceptance follows every firing, whatever the interleaving', async () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}`);
  const random = randomFrom(seed);
  const runner = heldRunner();
  const queues = queuesOf({ journal: memoryJournal().journal, runner });
  let step = 0;
  const acceptedAt = new Map<string, number>();
  const startedAt = new Map<number, number>();
  queues.onChange((job) => {
    if (job.state === 'running') startedAt.set(job.id, ++step);
  });
  await queues.start();
  for (let i = 0; i < 600; i += 1) {
    const what = random();
    if (what < 0.6) {
      const one = firing();
      accept(queues, one, request({ argv: [String(Math.floor(random() * 3))] }));
      acceptedAt.set(one.id, ++step);
    } else if (what < 0.95) runner.endOne();
    else for (const name of ['pause', 'resume'] as const) queues[name]('default');
    await new Promise(setImmediate);
    const queued = queues.list({ states: ['queued'] }).map(({ command }) => command);
    expect(new Set(queued).size).toBe(queued.length);
    expect(runner.running.length).toBeLessThanOrEqual(1);
  }
  await until(() => {
    runner.endOne();
    return queues.summary().every(({ queued, running }) => queued + running === 0);
  }, 'the rest');
  const jobs = queues.list({});
  for (const job of jobs) {
    expect(job.state).toBe('finished');
    for (const id of job.firings) expect(startedAt.get(job.id)).toBeGreaterThan(acceptedAt.get(id) ?? Infinity);
  }
  expect(jobs.flatMap((job) => job.firings).sort()).toEqual([...acceptedAt.keys()].sort());
  await queues.stop();
});
