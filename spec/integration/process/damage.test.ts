import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openJournal } from '../../../src/adapters/sqlite/open-journal.ts';
import { jobRequest } from '../../support/jobs.ts';
import { temporaryFolder } from '../../support/journal.ts';
import { planOf } from '../../support/plans.ts';
import { temporaryRunner } from '../../support/processes.ts';
import { queuesOf } from '../../support/queues.ts';
import { stateIn } from '../../support/state.ts';

/** What a power cut makes of files that nobody has fsynced. */
const damages = ['', '\0\0\0\0', '{"token":', 'null', '[]', '{}', '7'];

const endedJob = async (): Promise<string> => {
  const folder = join(temporaryFolder(), '1');
  await temporaryRunner().run(folder, planOf(['/bin/true']));
  return folder;
};

/** As if the runner were of before a reboot. */
const reboot = (folder: string): void => {
  const claim = readFileSync(join(folder, 'claim'), 'utf8');
  writeFileSync(join(folder, 'claim'), claim.replace(/"bootId":"[^"]*"/, '"bootId":"another"'));
};

test.each(damages)('a status file that is %j counts as none: the job is lost', async (text) => {
  const folder = await endedJob();
  reboot(folder);
  writeFileSync(join(folder, 'status.json'), text);
  expect(await temporaryRunner().adopt(folder)).toBe('lost');
});

test.each(damages)('a claim that is %j counts as a claim: the job is lost, not started again', async (text) => {
  const folder = await endedJob();
  writeFileSync(join(folder, 'claim'), text);
  expect(await temporaryRunner().adopt(folder)).toBe('lost');
  await temporaryRunner().kill(folder);
});

test('a job with damaged files ends as interrupted at the next start, and its queue continues', async () => {
  const state = stateIn(temporaryFolder());
  const { journal, close } = openJournal(state);
  onTestFinished(close);
  for (let id = 1; id <= 3; id += 1) {
    journal.add({ request: jobRequest({ argv: ['/bin/true'] }), command: 'true', coalescingKey: null, at: 1 });
    if (id === 3) break;
    journal.start(id, 2);
    mkdirSync(join(state.jobsDir, String(id)));
  }
  writeFileSync(join(state.jobsDir, '1', 'claim'), '');
  const gone = { bootId: 'another', pid: 1, startTime: '1', token: 'abc' };
  writeFileSync(join(state.jobsDir, '2', 'claim'), `${JSON.stringify(gone)}\n\0\0`);
  writeFileSync(join(state.jobsDir, '2', 'status.json'), '');
  const queues = queuesOf({ journal, runner: temporaryRunner() });
  onTestFinished(() => queues.stop());
  await queues.start();
  expect(await queues.waitFor(3, new AbortController().signal)).toMatchObject({ result: { kind: 'succeeded' } });
  for (const id of [1, 2]) expect(queues.get(id)).toMatchObject({ result: { kind: 'interrupted' } });
});
