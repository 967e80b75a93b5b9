import { expect, onTestFinished, test } from 'vitest';
import type { Journal } from '../../../src/queue/ports/journal.ts';
import type { Queues } from '../../../src/queue/queues.ts';
import { jobRequest } from '../../support/jobs.ts';
import { memoryJournal } from '../../support/memory-journal.ts';
import { heldRunner, plainPlugins, queuesOf } from '../../support/queues.ts';
import { until } from '../../support/wait.ts';

const started = async (journal: Journal, parts: Parameters<typeof queuesOf>[0] | object = {}): Promise<Queues> => {
  const queues = queuesOf({ journal, runner: heldRunner(), ...parts });
  await queues.start();
  onTestFinished(() => queues.stop());
  return queues;
};
const tellers = (queues: Queues) => queues.list({}).filter(({ request }) => request.tellsOf !== undefined);

test('the job of on-finish is journalled with the end that it reports, before the rest of the queue, and has none itself', async () => {
  const { journal } = memoryJournal();
  const runner = heldRunner();
  const queues = await started(journal, { runner });
  const first = queues.add(
    jobRequest({ argv: ['work'], onFinish: '/bin/tell', env: { A: '1' }, cwd: '/srv', user: 'ann' }),
  );
  const next = queues.add(jobRequest());
  await until(() => runner.running.length === 1, 'the first job');
  runner.endOne(7);
  await until(() => queues.get(first.id).state === 'finished', 'its end');
  const [teller] = tellers(queues);
  expect(queues.get(teller?.id ?? 0).request).toMatchObject({
    argv: ['/bin/tell', '1', '7', `${first.folder}/output`, 'work'],
    env: { A: '1' },
    cwd: '/srv',
    user: 'ann',
    tellsOf: 1,
  });
  await until(() => queues.get(teller?.id ?? 0).state === 'running', 'the teller');
  expect(queues.get(next.id).state).toBe('queued');
  runner.endOne();
  await until(() => queues.get(next.id).state === 'running', 'the next job');
  expect(tellers(queues)).toHaveLength(1);
});

test('on-finish runs for an end that a restart finds, and not for a skipped job', async () => {
  const { journal } = memoryJournal();
  const before = await started(journal);
  const first = before.add(jobRequest({ onFinish: '/bin/tell' }));
  const removed = before.add(jobRequest({ onFinish: '/bin/tell' }));
  before.remove(removed.id);
  await until(() => before.get(first.id).state === 'running', 'the first job');
  await before.stop();
  const after = await started(journal);
  await until(() => tellers(after).length === 1, 'the teller');
  expect(after.get(tellers(after)[0]?.id ?? 0).request.argv.slice(1, 3)).toEqual(['1', '1']);
});

test('on-finish with a program that may not run does not affect the job’s end', async () => {
  const { journal } = memoryJournal();
  const runner = heldRunner();
  const check = (request: { argv: readonly string[] }): string => {
    if (request.argv[0] === '/bin/tell') throw new Error('refused');
    return 'work';
  };
  const queues = await started(journal, { runner, plugins: plainPlugins({ check }) });
  const first = queues.add(jobRequest({ onFinish: '/bin/tell' }));
  await until(() => runner.running.length === 1, 'the job');
  runner.endOne();
  await until(() => queues.get(first.id).state === 'finished', 'its end');
  expect(tellers(queues)).toEqual([]);
});
