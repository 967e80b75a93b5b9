/**
 * A daemon reduced to its queues, for tests that kill it: `driver.ts <state folder>`. Commands come as JSON lines on
 * stdin (`{"add": [argv…]}`), every change of a job goes out as a line `<id> <state>`.
 */
import { createInterface } from 'node:readline';
import { createProcessRunner } from '../../../src/adapters/process/process-runner.ts';
import { openJournal } from '../../../src/adapters/sqlite/open-journal.ts';
import { jobRequest } from '../../support/jobs.ts';
import { queuesOf } from '../../support/queues.ts';
import { runnerCommand } from '../../support/runner-command.ts';
import { stateIn } from '../../support/state.ts';

const { journal } = openJournal(stateIn(process.argv[2] ?? ''));
const queues = queuesOf({ journal, runner: createProcessRunner({ command: runnerCommand, isolation: 'session' }) });
queues.onChange((job) => process.stdout.write(`${job.id} ${job.state}\n`));
await queues.start();
process.stdout.write('started\n');
for await (const line of createInterface({ input: process.stdin })) {
  const { add } = JSON.parse(line) as { add: string[] };
  queues.add(jobRequest({ argv: add }));
}
