import { describe, expect, it } from 'vitest';
import { satisfyByRun } from '../../../../src/firings/outcomes/satisfy.ts';
import { firing } from '../../../support/firings.ts';
import { jobRequest } from '../../../support/jobs.ts';
import { memoryJournal } from '../../../support/memory-journal.ts';
import { accept, heldRunner, queuesOf } from '../../../support/queues.ts';
import { until } from '../../../support/wait.ts';

const puppet = jobRequest({ source: 'firing', plugin: 'puppet' });
const run = (startedAt: number) => ({ startedAt, finishedAt: startedAt + 2_000, exitCode: 2, details: { a: 1 } });

describe('a run of somebody else', () => {
  const started = async () => {
    const { journal, firings } = memoryJournal();
    const at = { now: 1_000 };
    const queues = queuesOf({ journal, runner: heldRunner(), clock: { now: () => at.now } });
    await queues.start();
    queues.pause('default');
    return { queues, firings, at };
  };

  it('a regular run satisfies a job whose firings were all accepted before it began', async () => {
    const { queues, firings, at } = await started();
    accept(queues, firing(), puppet);
    at.now = 2_000;
    accept(queues, firing(), puppet);
    expect(satisfyByRun({ queues, firings }, run(2_000), () => true)).toEqual([]);
    expect(satisfyByRun({ queues, firings }, run(2_001), () => false)).toEqual([]);
    expect(satisfyByRun({ queues, firings }, run(2_001), () => true)).toEqual([1]);
    expect(queues.get(1)).toMatchObject({
      state: 'finished',
      attempt: 0,
      startedAt: 2_001,
      finishedAt: 4_001,
      result: { kind: 'succeeded', exitCode: 2 },
      times: { realS: 2 },
      details: { a: 1 },
    });
    expect(satisfyByRun({ queues, firings }, run(9_000), () => true)).toEqual([]);
    await queues.stop();
  });

  it('a regular run leaves a running job alone, and what waited for the satisfied job continues', async () => {
    const { queues, firings, at } = await started();
    accept(queues, firing(), puppet);
    const after = queues.add(jobRequest({ after: 1 }));
    queues.resume('default');
    await until(() => queues.get(1).state === 'running', 'the job to run');
    at.now = 5_000;
    accept(queues, firing(), puppet);
    expect(satisfyByRun({ queues, firings }, run(6_000), () => true)).toEqual([3]);
    expect(queues.get(1).state).toBe('running');
    expect(queues.get(after.id).state).toBe('queued');
    await queues.stop();
  });
});
