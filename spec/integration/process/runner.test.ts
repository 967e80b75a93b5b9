import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createProcessRunner } from '../../../src/adapters/process/process-runner.ts';
import type { LaunchPlan, RunExit } from '../../../src/queue/ports/runner.ts';
import { temporaryFolder } from '../../support/journal.ts';
import { planOf, shell } from '../../support/plans.ts';
import { openFiles, processesWith, temporaryRunner, zombiesOf } from '../../support/processes.ts';
import { runnerCommand } from '../../support/runner-command.ts';
import { until } from '../../support/wait.ts';

const run = async (plan: LaunchPlan): Promise<{ ending: RunExit; output: Buffer; folder: string }> => {
  const folder = join(temporaryFolder(), '1');
  const ending = await temporaryRunner().run(folder, plan);
  if (typeof ending === 'string') throw new Error(ending);
  return { ending, output: readFileSync(join(folder, 'output')), folder };
};

test.each([
  ['true', 0],
  ['exit 1', 1],
  ['exit 2', 2],
  ['exit 126', 126],
  ['exit 127', 127],
])('the job `%s` exits with %d', async (script, code) => {
  const { ending } = await run(shell(script));
  expect(ending).toMatchObject({ exit: { kind: 'exited', code }, cause: 'itself' });
});

test('a job that dies by a signal is distinguished from one that exits', async () => {
  const { ending } = await run(shell('kill -SEGV $$'));
  expect(ending).toMatchObject({ exit: { kind: 'signalled', signal: 'SIGSEGV' }, cause: 'itself' });
});

test('a command that cannot be started says why', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'plain'), '#!/bin/sh\n', { mode: 0o644 });
  const missing = await run(planOf(['/nowhere/program']));
  const plain = await run(planOf([join(folder, 'plain')]));
  const homeless = await run(shell('true', { cwd: '/nowhere' }));
  const huge = await run(planOf(['/bin/true', 'x'.repeat(3_000_000)]));
  const reasons = [missing, plain, homeless, huge].map(({ ending }) => ending.exit);
  expect(reasons).toEqual([
    { kind: 'not-started', reason: '/nowhere/program was not found.' },
    { kind: 'not-started', reason: `${join(folder, 'plain')} may not be executed.` },
    { kind: 'not-started', reason: 'The working folder /nowhere does not exist.' },
    { kind: 'not-started', reason: 'The arguments and the environment together are too large.' },
  ]);
});

test('output is kept byte by byte, and the index tells the streams apart', async () => {
  const folder = join(temporaryFolder(), '1');
  const go = (name: string) => `until [ -e ${folder}/${name} ]; do sleep 0.02; done`;
  const script = `printf 'a\\377\\000b'; ${go('one')}; echo oops > /dev/stderr; ${go('two')}; echo done > /dev/stdout`;
  const running = temporaryRunner().run(folder, shell(script));
  const output = () => (existsSync(join(folder, 'output')) ? readFileSync(join(folder, 'output'), 'latin1') : '');
  // Of what comes together on two pipes nobody knows the order.
  await until(() => output() === 'a\xff\0b', 'the first words');
  writeFileSync(join(folder, 'one'), '');
  await until(() => output().endsWith('oops\n'), 'the complaint');
  writeFileSync(join(folder, 'two'), '');
  expect(await running).toMatchObject({ exit: { kind: 'exited', code: 0 } });
  expect(output()).toBe('a\xff\0boops\ndone\n');
  const index = readFileSync(join(folder, 'output.idx'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ').slice(1));
  expect(index).toEqual([
    ['o', '4'],
    ['e', '5'],
    ['o', '5'],
  ]);
});

test('too much output keeps its head and its tail, and says what is missing', async () => {
  const { ending, output } = await run(shell('seq 1 200000', { maxOutputBytes: 10_000 }));
  const text = output.toString();
  expect(ending.outputBytes).toBe(1_288_895);
  expect(text.slice(0, 6)).toBe('1\n2\n3\n');
  expect(text).toContain(`[triggerd: ${1_288_895 - 10_000 - 65_536} bytes left out]\n`);
  expect(text.endsWith('199999\n200000\n')).toBe(true);
  expect(output.length).toBeLessThan(10_000 + 65_536 + 100);
});

test('300 MB of NULs neither crash nor bloat the runner', async () => {
  const { ending, output } = await run(shell('head -c 300000000 /dev/zero; grep VmHWM /proc/$PPID/status'));
  expect(ending).toMatchObject({ exit: { kind: 'exited', code: 0 }, outputBytes: expect.any(Number) });
  expect(ending.outputBytes).toBeGreaterThan(300_000_000);
  const peakKb = Number(/VmHWM:\s+(\d+)/.exec(output.toString())?.[1]);
  console.log(`runner's peak memory: ${Math.round(peakKb / 1024)} MB`);
  expect(peakKb).toBeLessThan(200 * 1024);
});

test('a job that reads nothing of 10 MB of input ends well', async () => {
  const { ending, output } = await run(shell('head -c 3 /dev/stdin', { stdin: `abc${'x'.repeat(10_000_000)}` }));
  expect(ending.exit).toEqual({ kind: 'exited', code: 0 });
  expect(output.toString()).toBe('abc');
});

test('a daemon that the job leaves behind, with its pipes, does not keep the job running', async () => {
  const mark = `3${Date.now() % 100000}`;
  const { ending, output } = await run(shell(`setsid sleep ${mark} & echo started`));
  expect(ending.exit).toEqual({ kind: 'exited', code: 0 });
  expect(output.toString()).toBe('started\n');
  const pid = await until(() => processesWith(`sleep ${mark}`)[0], 'the daemon that was left behind');
  process.kill(pid, 'SIGKILL');
});

const parentOf = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
};

test('a daemon that the job leaves behind may write until the runner’s end; then its reader ends, too', async () => {
  const root = temporaryFolder();
  const runner = createProcessRunner({ command: runnerCommand, isolation: 'session' });
  const mark = `${Date.now() % 100_000}`;
  const daemon = `echo hi; echo ho >&2; until [ -e ${root}/go ]; do sleep 0.0${mark}; done; echo again; echo more > /dev/stderr; touch ${root}/alive`;
  const ending = await runner.run(join(root, '1'), shell(`setsid sh -c '${daemon}' & echo started`));
  expect(ending).toMatchObject({ exit: { kind: 'exited', code: 0 } });
  const claim = readFileSync(join(root, '1', 'claim'), 'utf8').split('\n')[0] ?? '';
  const { pid } = JSON.parse(claim) as { pid: number };
  const drains = processesWith('/bin/cat').filter((each) => parentOf(each) === pid);
  expect(drains).toHaveLength(2);
  await runner.close();
  await until(() => !existsSync(`/proc/${pid}`), 'the end of the runner');
  writeFileSync(join(root, 'go'), '');
  await until(() => existsSync(join(root, 'alive')), 'the daemon’s last word');
  await until(() => drains.every((drain) => !existsSync(`/proc/${drain}`)), 'the end of its readers');
});

test('a job ends with the background members of its group', async () => {
  const { ending, output } = await run(shell('echo early; (sleep 0.3; echo late) &'));
  expect(output.toString()).toBe('early\nlate\n');
  expect(ending.times.realS).toBeGreaterThan(0.28);
});

test('the environment is the plan’s and nothing else', async () => {
  process.env['NOTIFY_SOCKET'] = '/run/not-for-jobs';
  const { output, folder } = await run(
    planOf(['/usr/bin/env'], { env: { PATH: '/bin', GREETING: 'hello' }, context: '{"job":1}' }),
  );
  delete process.env['NOTIFY_SOCKET'];
  const names = output
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.split('=')[0])
    .sort();
  expect(names).toEqual(['GREETING', 'PATH', 'TRIGGERD_CONTEXT', 'TRIGGERD_JOB_TOKEN']);
  expect(readFileSync(join(folder, 'context.json'), 'utf8')).toBe('{"job":1}');
  expect(statSync(join(folder, 'output')).mode & 0o777).toBe(0o600);
});

test('what the result depends on is returned with the exit, and lies in the folder for the next daemon', async () => {
  const terms = { driver: 'puppet', successExitCodes: [0, 2], argv: ['puppet', 'agent'] };
  const { ending, folder } = await run(shell('true', { terms }));
  expect(ending.terms).toEqual(terms);
  expect(await temporaryRunner().adopt(folder)).toEqual(ending);
});

test('the plan’s environment is not left on disk', async () => {
  const { folder } = await run(shell('ls', { cwd: '/', env: { PATH: '/bin', SECRET: 'tell-nobody' } }));
  expect(readFileSync(join(folder, 'claim'), 'utf8')).not.toContain('tell-nobody');
});

/** A TERM-ignoring child, a setsid escapee and a double fork: everything a careless job may start. */
const family = (mark: string): string => `
  (trap '' TERM; while :; do sleep 0.0${mark}; done) &
  setsid sh -c 'trap "" TERM; while :; do sleep 0.0${mark}; done' &
  (setsid sh -c '(sleep 4${mark} &) ; exit' &)
  echo ready; sleep 4${mark}`;

test('kill ends the whole tree: TERM-ignoring child, setsid escapee, double fork', async () => {
  const mark = String(10_000 + Math.floor(Math.random() * 89_999));
  const folder = join(temporaryFolder(), '1');
  const runner = temporaryRunner();
  const running = runner.run(folder, shell(family(mark)));
  await until(
    () => existsSync(join(folder, 'output')) && readFileSync(join(folder, 'output'), 'utf8').includes('ready'),
    'the job',
  );
  await until(() => processesWith(mark).length >= 4, 'the family');
  await runner.kill(folder);
  expect(await running).toMatchObject({ cause: 'kill' });
  expect(processesWith(mark)).toEqual([]);
});

test('a timeout ends the whole tree, even with a grandchild that holds stdout', async () => {
  const mark = String(10_000 + Math.floor(Math.random() * 89_999));
  const { ending } = await run(shell(family(mark), { timeoutMs: 300, graceMs: 200 }));
  expect(ending.cause).toBe('timeout');
  expect(ending.times.realS).toBeLessThan(60);
  expect(processesWith(mark)).toEqual([]);
});

test('a job that ends at TERM is not killed', async () => {
  let timeoutMs = 150;
  // A busy machine may end it before it has set its trap; then it gets more time.
  const { ending, output } = await until(async () => {
    timeoutMs *= 2;
    const plan = shell(`trap 'echo bye; exit 7' TERM; echo on; while :; do :; done`, { timeoutMs, graceMs: 60_000 });
    const ended = await run(plan);
    return ended.output.toString().startsWith('on\n') ? ended : undefined;
  }, 'a job that has set its trap');
  expect(ending).toMatchObject({ cause: 'timeout', exit: { kind: 'exited', code: 7 } });
  expect(output.toString()).toBe('on\nbye\n');
});

test('CPU time of the children is counted', async () => {
  const { ending } = await run(shell('i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'));
  expect(ending.times.userS).toBeGreaterThan(0.02);
  expect(ending.times.userS).toBeLessThanOrEqual(ending.times.realS + 0.05);
});

test('a runner that dies takes its job with it, and the job is lost', async () => {
  const mark = `4${randomUUID().replaceAll(/\D/g, '').slice(0, 5)}`;
  const folder = join(temporaryFolder(), '1');
  const runner = temporaryRunner();
  const running = runner.run(folder, shell(`setsid sleep ${mark} & sleep ${mark}`));
  await until(() => processesWith(`sleep ${mark}`).length >= 2, 'the job');
  const { pid } = JSON.parse(readFileSync(join(folder, 'claim'), 'utf8').split('\n')[0] ?? '') as { pid: number };
  process.kill(pid, 'SIGKILL');
  expect(await running).toBe('lost');
  expect(processesWith(`sleep ${mark}`)).toEqual([]);
});

test('500 jobs leave no zombie and no open file behind', async () => {
  const runner = temporaryRunner();
  const root = temporaryFolder();
  await runner.run(join(root, 'first'), planOf(['/bin/true']));
  const claim = readFileSync(join(root, 'first', 'claim'), 'utf8').split('\n')[0] ?? '';
  const { pid } = JSON.parse(claim) as { pid: number };
  const before = [openFiles(pid), openFiles(process.pid)];
  const startedMs = performance.now();
  for (let job = 0; job < 500; job += 1) await runner.run(join(root, String(job)), planOf(['/bin/true']));
  console.log(`runner alone: ${Math.round(500_000 / (performance.now() - startedMs))} jobs/s`);
  const after = [openFiles(pid), openFiles(process.pid)];
  expect(after[0]).toBeLessThanOrEqual((before[0] ?? 0) + 2);
  expect(after[1]).toBeLessThanOrEqual((before[1] ?? 0) + 2);
  // One that has just ended is there until its parent's next turn.
  await until(() => zombiesOf(pid) + zombiesOf(process.pid) === 0, 'no zombie to be left');
});
