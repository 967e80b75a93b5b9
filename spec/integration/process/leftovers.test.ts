import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { moveToCgroupsOf } from '../../../src/adapters/process/job-cgroup.ts';
import { liftLimits } from '../../../src/adapters/process/with-limits.ts';
import type { LaunchPlan, RunExit } from '../../../src/queue/ports/runner.ts';
import { isPuppetRun } from '../../../src/runner/puppet-run.ts';
import { testCgroup } from '../../support/cgroup.ts';
import { temporaryFolder } from '../../support/journal.ts';
import { planOf, shell } from '../../support/plans.ts';
import { processesWith, temporaryRunner } from '../../support/processes.ts';
import { runnerCommand } from '../../support/runner-command.ts';
import { until } from '../../support/wait.ts';

/** Fraction of a second that a test's own processes sleep, by which they are found. */
const newMark = (): string => {
  const mark = `0.0${10_000 + Math.floor(Math.random() * 89_999)}`;
  onTestFinished(() => {
    for (const pid of processesWith(mark)) process.kill(pid, 'SIGKILL');
  });
  return mark;
};
/** Shell text of a service that runs until the file `stop` is there. */
const service = (root: string, mark: string, each = ':'): string =>
  `until [ -e ${root}/stop ]; do ${each}; sleep ${mark}; done; touch ${root}/stopped`;

const run = async (plan: LaunchPlan, root = temporaryFolder()): Promise<RunExit> => {
  const ending = await temporaryRunner().run(join(root, '1'), plan);
  if (typeof ending === 'string') throw new Error(ending);
  return ending;
};

test.each([
  ['in its process group', ''],
  ['in a session of its own', 'setsid '],
])(
  'leave: the job ends with its first process; a process that it left %s is named and lives on',
  async (_where, prefix) => {
    const root = temporaryFolder();
    const mark = newMark();
    const script = `${prefix}sh -c '${service(root, mark)}' & echo started; exit 3`;
    const plan = shell(script, { leftovers: 'leave', timeoutMs: 60_000 });
    const runner = temporaryRunner();
    const ending = await runner.run(join(root, '1'), plan);
    expect(ending).toMatchObject({ exit: { kind: 'exited', code: 3 }, cause: 'itself', leftovers: { fate: 'left' } });
    const { leftovers } = ending as RunExit;
    expect(leftovers?.processes).toContainEqual({ pid: processesWith(`until [ -e ${root}`)[0], name: 'sh' });
    expect(leftovers?.total).toBe(leftovers?.processes.length);
    expect(readFileSync(join(root, '1/output'), 'utf8')).toBe('started\n');
    // The next daemon hears the same.
    expect(await temporaryRunner().adopt(join(root, '1'))).toEqual(ending);
    // A kill that comes too late, while the runner has another job, touches nothing.
    await runner.kill(join(root, '1'));
    await runner.run(join(root, '2'), shell('true'));
    writeFileSync(join(root, 'stop'), '');
    await until(() => existsSync(join(root, 'stopped')), 'the service to end by itself');
  },
);

const puppetTerms = { driver: 'puppet', successExitCodes: [0, 2], argv: ['sh'] };

test('a real Puppet run that starts services itself ends with Puppet, and names them', async () => {
  const root = temporaryFolder();
  const mark = newMark();
  const start = (name: string) => `(exec -a ${name} setsid sleep 9${mark}) &`;
  writeFileSync(
    join(root, 'site.pp'),
    `exec { "bash -c '${start('by-exec')}'": path => '/usr/bin:/bin' }
service { 'app': ensure => running, provider => base, hasstatus => false, pattern => 'by-service-${mark}',
  start => "bash -c '${start(`by-service-${mark}`)}'" }`,
  );
  const puppet = [
    'puppet',
    'apply',
    '--detailed-exitcodes',
    '--confdir',
    `${root}/conf`,
    '--vardir',
    `${root}/var`,
  ] as const;
  const ending = await run(
    planOf([...puppet, `${root}/site.pp`], { leftovers: 'leave', timeoutMs: 300_000, terms: puppetTerms }),
    root,
  );
  expect(ending).toMatchObject({
    exit: { kind: 'exited', code: 2 },
    cause: 'itself',
    leftovers: { fate: 'left', total: 2 },
  });
  expect(ending.leftovers?.processes.map(({ name }) => name)).toEqual(['sleep', 'sleep']);
  expect(processesWith(mark).sort()).toEqual(ending.leftovers?.processes.map(({ pid }) => pid).sort());
});

test('a script that sends its Puppet run to the background ends with the run; a kill still ends it', async () => {
  const root = temporaryFolder();
  const wait = `until [ -e ${root}/go ]; do sleep 0.1; done; touch ${root}/over`;
  writeFileSync(join(root, 'puppet'), `#!/bin/sh\ntouch ${root}/ready; ${wait}\n`, { mode: 0o755 });
  const script = `setsid ${root}/puppet apply site.pp & exit 5`;
  const plan = shell(script, { leftovers: 'leave', terms: puppetTerms });
  const runner = temporaryRunner();
  const running = runner.run(join(root, '1'), plan);
  const isOver = (folder: string) => existsSync(join(root, folder, 'status.json'));
  await until(() => existsSync(join(root, 'ready')), 'the run');
  expect(isOver('1')).toBe(false);
  writeFileSync(join(root, 'go'), '');
  expect(await running).toMatchObject({ exit: { kind: 'exited', code: 5 } });
  expect(existsSync(join(root, 'over'))).toBe(true);

  for (const name of ['go', 'ready']) rmSync(join(root, name));
  const second = runner.run(join(root, '2'), plan);
  await until(() => existsSync(join(root, 'ready')), 'the second run');
  await runner.kill(join(root, '2'));
  expect(await second).toMatchObject({ cause: 'kill' });
  expect(processesWith(`${root}/puppet`)).toEqual([]);
});

test.each([
  ['agent --test', true],
  ['agent --verbose --onetime', true],
  ['apply site.pp', true],
  ['--debug apply site.pp', true],
  ['agent', false],
  ['agent --verbose', false],
  ['resource package', false],
])('puppet %s counts as a run: %s', async (words, isRun) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'puppet'), `#!/bin/sh\necho up\nsleep 600\n`, { mode: 0o755 });
  const started = spawn(join(folder, 'puppet'), words.split(' '), { detached: true });
  const { pid = 0 } = started;
  onTestFinished(() => void process.kill(-pid, 'SIGKILL'));
  await once(started.stdout, 'data');
  expect(isPuppetRun(pid)).toBe(isRun);
  expect(isPuppetRun(process.pid)).toBe(false);
});

test('leave: a service that keeps writing to the job’s output is not ended by that, and fills no disk', async () => {
  const root = temporaryFolder();
  const each = `head -c 100000 /dev/zero && echo $((i=i+1)) > ${root}/rounds`;
  const script = `echo first; setsid sh -c '${service(root, newMark(), each)}' &`;
  await run(shell(script, { leftovers: 'leave' }), root);
  const size = readFileSync(join(root, '1/output')).length;
  const rounds = () => (existsSync(join(root, 'rounds')) ? Number(readFileSync(join(root, 'rounds'), 'utf8')) : 0);
  const before = rounds();
  await until(() => rounds() > before + 20, 'twenty more rounds');
  expect(readFileSync(join(root, '1/output')).length).toBe(size);
  writeFileSync(join(root, 'stop'), '');
  await until(() => existsSync(join(root, 'stopped')), 'the service to end by itself');
});

test('leave: a process that ends with the first process, or right after it, is no leftover', async () => {
  const ending = await run(shell('sleep 0.05 & exit 0', { leftovers: 'leave' }));
  expect(ending).not.toHaveProperty('leftovers');
});

/** CAP_SYS_RESOURCE: a container may lack it, and systemd's own units there, too. */
const mayRaise = (BigInt(`0x${/^CapEff:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]}`) >> 24n) & 1n;

const limitsOf = (pid: number): string => readFileSync(`/proc/${pid}/limits`, 'utf8').replaceAll(/ +/g, ' ');

test('limits are lifted one by one, as far as the system allows', async () => {
  const limited = spawn('prlimit', ['--cpu=5:', '--data=67108864:', '--nofile=100:', 'sleep', '600']);
  onTestFinished(() => void limited.kill('SIGKILL'));
  const pid = limited.pid ?? 0;
  await until(() => limitsOf(pid).includes('Max open files 100 '), 'the limits to be set');
  liftLimits(pid, { memoryBytes: 67_108_864, openFiles: 100, cpuMs: 5000 });
  expect(limitsOf(pid)).toContain('Max cpu time unlimited unlimited');
  expect(limitsOf(pid)).toContain('Max data size unlimited unlimited');
});

test.skipIf(mayRaise === 0n)('leave: a service loses those of the job’s limits that would affect it', async () => {
  const root = temporaryFolder();
  const limits = { memoryBytes: 64 * 2 ** 20, openFiles: 100, cpuMs: 5000 };
  const ending = await run(shell(`setsid sh -c '${service(root, newMark())}' &`, { leftovers: 'leave', limits }), root);
  const [{ pid } = { pid: 0 }] = ending.leftovers?.processes ?? [];
  const found = limitsOf(pid);
  expect(found).toContain('Max cpu time unlimited unlimited');
  expect(found).toContain('Max data size unlimited unlimited');
  expect(found).toContain('Max open files 1024 524288');
});

test('leave: a kill or a timeout during the run ends everything that it has started', async () => {
  const root = temporaryFolder();
  const mark = newMark();
  const script = `setsid sh -c '${service(root, mark)}' & touch ${root}/ready; sleep 1${mark}`;
  const runner = temporaryRunner();
  const running = runner.run(join(root, '1'), shell(script, { leftovers: 'leave' }));
  await until(() => existsSync(join(root, 'ready')), 'the job');
  await runner.kill(join(root, '1'));
  const ending = await running;
  expect(ending).toMatchObject({ cause: 'kill' });
  expect(ending).not.toHaveProperty('leftovers');
  expect(processesWith(mark)).toEqual([]);
  const late = await run(shell(script, { leftovers: 'leave', timeoutMs: 300 }));
  expect(late.cause).toBe('timeout');
  expect(processesWith(mark)).toEqual([]);
});

test('kill: leftovers are ended and named, and the exit is still the job’s', async () => {
  const mark = newMark();
  const stubborn = `trap "" TERM; while :; do sleep ${mark}; done`;
  const ending = await run(shell(`setsid sh -c '${stubborn}' & exit 4`, { leftovers: 'kill' }));
  expect(ending).toMatchObject({ exit: { kind: 'exited', code: 4 }, cause: 'itself', leftovers: { fate: 'killed' } });
  expect(ending.leftovers?.processes.map(({ name }) => name)).toContain('sh');
  expect(processesWith(mark)).toEqual([]);
});

test('at most ten leftovers are named, by at most the kernel’s name', async () => {
  const mark = newMark();
  const script = `for i in 1 2 3 4 5 6 7 8 9 10 11 12; do setsid sh -c 'sleep 9${mark}; : secret' & done`;
  const { leftovers } = await run(shell(script, { leftovers: 'leave' }));
  expect(leftovers?.processes).toHaveLength(10);
  expect(leftovers?.total).toBeGreaterThanOrEqual(12);
  expect(JSON.stringify(leftovers)).not.toMatch(/secret|0\.0/);
});

test('in a unit whose systemd makes no scope, the job waits for its leftovers, which its end would end', async () => {
  const root = temporaryFolder();
  const folder = join(root, '1');
  mkdirSync(folder);
  const plan = shell(`setsid sh -c '${service(root, newMark())}' &`, { leftovers: 'leave' });
  writeFileSync(join(folder, 'plan-token'), JSON.stringify(plan));
  const cgroup = testCgroup();
  const [program, ...args] = [...cgroup.enter, ...runnerCommand, folder, 'token'];
  const runner = spawn(program as string, args, { stdio: 'ignore' });
  const ended = once(runner, 'exit');
  const problem = join(folder, 'runner-error');
  await until(() => existsSync(problem) && readFileSync(problem).length > 0, 'the runner to find no systemd');
  expect(readFileSync(problem, 'utf8')).toContain('systemd-run --scope');
  expect(existsSync(join(folder, 'status.json'))).toBe(false);
  writeFileSync(join(root, 'stop'), '');
  expect((await ended)[0]).toBe(0);
  expect(JSON.parse(readFileSync(join(folder, 'status.json'), 'utf8'))).not.toHaveProperty('leftovers');
  expect(existsSync(join(root, 'stopped'))).toBe(true);
});

test('a process moves to another one’s cgroup in every hierarchy; one that has ended is no error', async () => {
  const [from, to] = [testCgroup(), testCgroup()];
  const start = (enter: readonly string[]) => spawn(enter[0] as string, [...enter.slice(1), 'sleep', '600']).pid ?? 0;
  const [mover, example] = [start(from.enter), start(to.enter)];
  const cgroupsOf = (pid: number) => readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  const isSleep = (pid: number) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n';
  await until(() => isSleep(mover) && isSleep(example), 'both to be where they belong');
  expect(cgroupsOf(mover)).not.toBe(cgroupsOf(example));
  moveToCgroupsOf(example, mover);
  expect(cgroupsOf(mover)).toBe(cgroupsOf(example));
  expect(from.pids()).toEqual([]);
  const gone = spawn('true');
  await once(gone, 'exit');
  moveToCgroupsOf(example, gone.pid ?? 0);
  expect(() => moveToCgroupsOf(gone.pid ?? 0, mover)).toThrow('has ended');
});
