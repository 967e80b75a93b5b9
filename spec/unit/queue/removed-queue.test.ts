import { expect, onTestFinished, test } from 'vitest';
import { jobRequest } from '../../support/jobs.ts';
import { memoryJournal } from '../../support/memory-journal.ts';
import { instantRunner, queuesOf } from '../../support/queues.ts';
import { recordingLog } from '../../support/recording-log.ts';

test('a queue that was removed from the configuration stays listed until its jobs have ended, and accepts no new job', async () => {
  const { journal } = memoryJournal();
  const parts = { journal, runner: instantRunner() };
  const before = queuesOf({
    ...parts,
    queues: ['default', 'extra', 'empty'].map((name) => ({ name, slots: 2, maxQueued: 9 })),
  });
  await before.start();
  before.pause('extra');
  for (let i = 0; i < 3; i += 1) before.add(jobRequest({ queue: 'extra' }));
  await before.stop();

  const log = recordingLog();
  const queues = queuesOf({ ...parts, log });
  onTestFinished(() => queues.stop());
  await queues.start();
  expect(log.at('warn')).toMatchObject([{ fields: { queue: 'extra' } }]);
  expect(queues.summary()).toMatchObject([{ name: 'default' }, { name: 'extra', paused: true, slots: 1, queued: 3 }]);
  expect(() => queues.add(jobRequest({ queue: 'extra' }))).toThrow(
    expect.objectContaining({ code: 'queue-not-found' }),
  );
  queues.remove(1);
  queues.resume('extra');
  expect(await queues.waitFor(3, new AbortController().signal)).toMatchObject({ result: { kind: 'succeeded' } });
  expect(queues.get(2)).toMatchObject({ state: 'finished' });
});
