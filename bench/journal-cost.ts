/**
 * What the journal costs a job. The peer is the same code with the journal's file in memory (`/dev/shm`), where a commit
 * is the same work and an fsync none. *Alone* is add, start and finish of jobs that have ended at once; *with its process* is
 * a real `/bin/true` whose folder is on the disk in both. fsyncs are counted by strace, in a run that is not timed.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { firing } from '../spec/support/firings.ts';
import { jobRequest } from '../spec/support/jobs.ts';
import { instantRunner, queuesOf } from '../spec/support/queues.ts';
import { runnerCommand } from '../spec/support/runner-command.ts';
import { createProcessRunner } from '../src/adapters/process/process-runner.ts';
import { openJournal } from '../src/adapters/sqlite/open-journal.ts';
import type { Runner } from '../src/queue/ports/runner.ts';
import type { Queues } from '../src/queue/queues.ts';
import type { Bench } from './support/bench.ts';
import { countFsyncs } from './support/fsyncs.ts';
import type { Row } from './support/row.ts';
import { interleave, median, summarize, timed } from './support/samples.ts';

const [jobs, rounds, warmUp] = [40, 5, 1];
const window = 64;
const forever = new AbortController().signal;

export const journalCost = async (bench: Bench): Promise<Row[]> => {
  const runner = createProcessRunner({ command: runnerCommand, isolation: 'session' });
  bench.onEnd(() => runner.close());
  const alone = await both(bench, 'alone', instantRunner());
  const whole = await both(bench, 'whole', runner);
  const [ofJobs, ofWhole] = [await compared(alone, runAll), await compared(whole, runAll)];
  const ofFirings = await compared(alone, takeSingly);
  const ofWindows = await compared(alone, takeTogether);
  return [
    rowOf('journal of a job, alone', ofJobs),
    rowOf('a job with its process', ofWhole),
    rowOf('a firing taken alone', ofFirings),
    rowOf(`a firing taken with ${window - 1} others`, ofWindows),
    ...(await fsyncRow('fsyncs per job', alone.disk, runAll)),
    ...(await fsyncRow(`fsyncs per firing of ${window}`, alone.disk, takeTogether)),
  ];
};

interface Both {
  readonly disk: Queues;
  readonly memory: Queues;
}

/** Queues with one slot, which differ in where their journal lies. */
const both = async (bench: Bench, name: string, runner: Runner): Promise<Both> => ({
  disk: await startQueues(bench, join(bench.dir, `${name}.db`), join(bench.dir, `${name}-disk`), runner),
  memory: await startQueues(bench, join(bench.memoryDir, `${name}.db`), join(bench.dir, `${name}-memory`), runner),
});

const startQueues = async (bench: Bench, file: string, jobsDir: string, runner: Runner): Promise<Queues> => {
  mkdirSync(jobsDir);
  const opened = openJournal({ file, jobsDir });
  bench.onEnd(() => opened.close());
  const queues = queuesOf({ journal: opened.journal, runner });
  await queues.start();
  bench.onEnd(() => queues.stop());
  return queues;
};

/** How many jobs or firings it was. */
type Work = (queues: Queues) => Promise<number>;

const runAll: Work = async (queues) => {
  for (let n = 0; n < jobs; n += 1) queues.add(jobRequest({ argv: ['/bin/true'] }));
  await queues.drain('default', forever);
  return jobs;
};

const takeSingly: Work = async (queues) => {
  for (let n = 0; n < window; n += 1) take(queues, 1);
  return window;
};

const takeTogether: Work = async (queues) => {
  take(queues, window);
  return window;
};

/** Refused ones: a firing and no job. */
const take = (queues: Queues, count: number): void => {
  const ids = Array.from({ length: count }, () => ulid());
  queues.take(ids.map((id) => ({ firing: firing({ id }), refusal: 'measured', at: Date.now() })));
};

/** ms per job or firing. */
const compared = ({ disk, memory }: Both, work: Work): Promise<Record<keyof Both, number[]>> => {
  const each = async (queues: Queues): Promise<number> => {
    let count = 1;
    const took = await timed(async () => {
      count = await work(queues);
    });
    return took / count;
  };
  return interleave(rounds, warmUp, { disk: () => each(disk), memory: () => each(memory) });
};

const rowOf = (figure: string, { disk, memory }: Record<keyof Both, number[]>): Row => ({
  figure,
  unit: 'ms',
  ours: median(disk),
  peer: { name: 'journal in memory', value: median(memory) },
  aim: null,
  samples: { disk: summarize(disk), memory: summarize(memory) },
});

/** None where strace is not installed. */
const fsyncRow = async (figure: string, queues: Queues, work: Work): Promise<Row[]> => {
  let count = 1;
  const calls = await countFsyncs(async () => {
    count = await work(queues);
  });
  return calls === undefined ? [] : [{ figure, unit: 'calls', ours: calls / count, peer: null, aim: null }];
};
