import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { createProcessRunner } from '../../../src/adapters/process/process-runner.ts';
import { openJournal } from '../../../src/adapters/sqlite/open-journal.ts';
import { jobRequest } from '../../support/jobs.ts';
import { temporaryFolder } from '../../support/journal.ts';
import { planOf } from '../../support/plans.ts';
import { processesWith, temporaryRunner } from '../../support/processes.ts';
import { queuesOf } from '../../support/queues.ts';
import { runnerCommand } from '../../support/runner-command.ts';
import { stateIn } from '../../support/state.ts';
import { until } from '../../support/wait.ts';

interface Daemon {
  readonly lines: string[];
  add(...argv: string[]): void;
  die(): Promise<void>;
  readonly stderr: () => string;
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
}

/** A process that holds the queues and can be killed. */
const startDaemon = (folder: string): Daemon => {
  const driver = join(import.meta.dirname, 'driver.ts');
  const daemon = spawn(process.execPath, ['--import', 'tsx', driver, folder], { stdio: 'pipe' });
  onTestFinished(() => void daemon.kill('SIGKILL'));
  const lines: string[] = [];
  let stderr = '';
  daemon.stdout.setEncoding('utf8').on('data', (text: string) => lines.push(...text.trim().split('\n')));
  daemon.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return {
    lines,
    stderr: () => stderr,
    process: daemon,
    add: (...argv) => daemon.stdin.write(`${JSON.stringify({ add: argv })}\n`),
    die: async () => {
      daemon.kill('SIGKILL');
      await until(() => daemon.signalCode ?? daemon.exitCode !== null, 'the death of the daemon');
    },
  };
};

/** A job that writes down when it starts and ends, in one file for all jobs. */
const recorded = (folder: string, name: string, body: string): string[] => [
  '/bin/sh',
  '-c',
  `echo start ${name} >> ${folder}/record; ${body}; code=$?; echo end ${name} >> ${folder}/record; exit $code`,
];
const record = (folder: string): string[] =>
  existsSync(join(folder, 'record')) ? readFileSync(join(folder, 'record'), 'utf8').trim().split('\n') : [];

test('a job outlives its daemon; the next one adopts it, and starts nothing before it has ended', async () => {
  const folder = temporaryFolder();
  const first = startDaemon(folder);
  await until(() => first.lines.includes('started'), 'the first daemon');
  const body = `echo before; until [ -e ${folder}/go ]; do sleep 0.02; done; echo after >&2; (exit 5)`;
  first.add(...recorded(folder, 'one', body));
  first.add(...recorded(folder, 'two', 'true'));
  await until(() => record(folder).includes('start one') && first.lines.includes('2 queued'), 'the first job');
  await first.die();

  const second = startDaemon(folder);
  await until(() => second.lines.includes('started'), 'the second daemon');
  expect(record(folder)).toEqual(['start one']);
  second.add('/bin/sh', '-c', `touch ${folder}/three`);
  await until(() => second.lines.includes('3 queued'), 'a job queued meanwhile');
  expect(second.lines.filter((line) => line.endsWith('running'))).toEqual([]);
  spawn('touch', [join(folder, 'go')]);
  await until(() => second.lines.includes('3 finished'), 'the end of all jobs');
  expect(second.lines.filter((line) => /running|finished/.test(line))).toEqual([
    '1 finished',
    '2 running',
    '2 finished',
    '3 running',
    '3 finished',
  ]);
  expect(record(folder)).toEqual(['start one', 'end one', 'start two', 'end two']);
  await second.die();

  const { journal, close } = openJournal(stateIn(folder));
  const job = journal.get(1);
  close();
  expect(job).toMatchObject({ state: 'finished', attempt: 1, result: { kind: 'failed', exitCode: 5 } });
  expect(job?.state === 'finished' && job.times.realS).toBeGreaterThan(0.1);
  expect(readFileSync(join(folder, 'jobs/1/output'), 'utf8')).toBe('before\nafter\n');
});

test('a job that ended while no daemon ran is concluded by the next one', async () => {
  const folder = temporaryFolder();
  const first = startDaemon(folder);
  await until(() => first.lines.includes('started'), 'the first daemon');
  first.add(...recorded(folder, 'one', `until [ -e ${folder}/go ]; do sleep 0.02; done; (exit 3)`));
  await until(() => record(folder).includes('start one'), 'the job');
  await first.die();
  spawn('touch', [join(folder, 'go')]);
  await until(() => existsSync(join(folder, 'jobs/1/status.json')), 'its status');
  const second = startDaemon(folder);
  await until(() => second.lines.includes('1 finished'), 'its conclusion');
  await second.die();
  const { journal, close } = openJournal(stateIn(folder));
  expect(journal.get(1)).toMatchObject({ result: { kind: 'failed', exitCode: 3 } });
  close();
});

test('an adopted job can be killed, and a dead runner’s files are deleted first', async () => {
  const folder = temporaryFolder();
  const first = startDaemon(folder);
  await until(() => first.lines.includes('started'), 'the first daemon');
  const mark = `5${Date.now() % 1_000_000}`;
  first.add('/bin/sh', '-c', `sleep ${mark} & setsid sleep ${mark}`);
  first.add('/bin/sh', '-c', `sleep ${mark}`);
  await until(() => processesWith(`sleep ${mark}`).length >= 2 && first.lines.includes('2 queued'), 'the jobs');
  await first.die();

  const { journal, close } = openJournal(stateIn(folder));
  onTestFinished(close);
  const queues = queuesOf({ journal, runner: temporaryRunner() });
  await queues.start();
  expect(queues.get(1).state).toBe('running');
  await queues.kill(1);
  const forever = new AbortController().signal;
  expect(await queues.waitFor(1, forever)).toMatchObject({ result: { kind: 'killed' } });
  await until(() => queues.get(2).state === 'running' && processesWith(`sleep ${mark}`).length > 0, 'the next job');
  const [claim = ''] = readFileSync(join(folder, 'jobs/2/claim'), 'utf8').split('\n');
  process.kill((JSON.parse(claim) as { pid: number }).pid, 'SIGKILL');
  expect(await queues.waitFor(2, forever)).toMatchObject({ result: { kind: 'interrupted' } });
  expect(processesWith(`sleep ${mark}`)).toEqual([]);
  await queues.stop();
});

test('a job that was journalled as running and never planned is queued again, once', async () => {
  const { journal, close } = openJournal(stateIn(temporaryFolder()));
  onTestFinished(close);
  journal.add({ request: jobRequest(), command: 'true', coalescingKey: null, at: 1 });
  journal.start(1, 2);
  const queues = queuesOf({ journal, runner: temporaryRunner() });
  await queues.start();
  expect(await queues.waitFor(1, new AbortController().signal)).toMatchObject({ attempt: 1, state: 'finished' });
  await queues.stop();
});

test('a stale runner cannot start a plan that was made void', async () => {
  const root = temporaryFolder();
  const folder = join(root, '1');
  const late = `until [ -e ${root}/go ]; do sleep 0.02; done; exec "$@"`;
  const runner = createProcessRunner({
    command: ['/bin/sh', '-c', late, 'sh', ...runnerCommand],
    isolation: 'session',
  });
  onTestFinished(() => runner.close());
  const stale = runner.run(folder, planOf(['/bin/touch', `${folder}/ran`]));
  // The plan lies there before `run` gives way; this is what a daemon does that finds it after a restart.
  expect(await runner.adopt(folder)).toBe('never-started');
  writeFileSync(join(root, 'go'), '');
  expect(await stale).toBe('never-started');
  expect(existsSync(`${folder}/ran`)).toBe(false);
  // Another attempt may have the folder by then: what the stale runner had made ready is gone.
  expect(readdirSync(folder).filter((name) => name !== 'output')).toEqual([]);
});

test('a second daemon on the same state folder is refused', async () => {
  const folder = temporaryFolder();
  const first = startDaemon(folder);
  await until(() => first.lines.includes('started'), 'the first daemon');
  const second = startDaemon(folder);
  await until(() => second.stderr().includes(`pid ${first.process.pid}`), 'the refusal');
  await until(() => second.process.exitCode !== null, 'its end');
});

// Thirteen starts of a process that compiles itself.
test('a dozen kills at random moments: no job is lost, none runs twice, none overlap', {
  timeout: 900_000,
}, async () => {
  const folder = temporaryFolder();
  const kills = 12;
  let added = 0;
  for (let round = 0; round < kills; round += 1) {
    const daemon = startDaemon(folder);
    await until(() => daemon.lines.includes('started'), 'the daemon');
    for (let i = 0; i < 4; i += 1) {
      added += 1;
      daemon.add(...recorded(folder, String(added), 'sleep 0.01'));
    }
    await until(() => daemon.lines.includes(`${added} queued`), 'the jobs');
    const enough = Math.floor(Math.random() * 4);
    await until(() => daemon.lines.filter((line) => line.endsWith('finished')).length >= enough, 'some ends');
    await daemon.die();
  }
  const last = startDaemon(folder);
  // All others may have ended before the last kill.
  added += 1;
  last.add(...recorded(folder, String(added), 'true'));
  await until(() => last.lines.includes(`${added} finished`), 'the last job');
  const expected = Array.from({ length: added }, (_, i) => [`start ${i + 1}`, `end ${i + 1}`]).flat();
  expect(record(folder)).toEqual(expected);
});
