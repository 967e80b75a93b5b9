import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { concludeFromExit } from '../../../src/plugin/drivers.ts';
import type { LaunchPlan, RunExit } from '../../../src/queue/ports/runner.ts';
import { type TestCgroup, testCgroup } from '../../support/cgroup.ts';
import { temporaryFolder } from '../../support/journal.ts';
import { planOf, shell } from '../../support/plans.ts';
import { temporaryRunner } from '../../support/processes.ts';
import { runnerCommand } from '../../support/runner-command.ts';

/** As systemd starts it: a runner for one job, in a cgroup of its own. */
const runIn = async (cgroup: TestCgroup, plan: LaunchPlan): Promise<RunExit> => {
  const folder = join(temporaryFolder(), '1');
  mkdirSync(folder);
  writeFileSync(join(folder, 'plan-token'), JSON.stringify(plan));
  const [program, ...args] = [...cgroup.enter, ...runnerCommand, folder, 'token'];
  const runner = spawn(program as string, args, { stdio: 'ignore' });
  expect((await once(runner, 'exit'))[0]).toBe(0);
  return JSON.parse(readFileSync(join(folder, 'status.json'), 'utf8')) as RunExit;
};
const resultOf = (ending: RunExit) => concludeFromExit(ending, { successExitCodes: [0] }).result;

test('C3: a fork bomb ends at the limit of its cgroup, and its result says so', async () => {
  const cgroup = testCgroup();
  cgroup.limit('processes', 60);
  const bomb = shell('bomb() { bomb | bomb & }; bomb; sleep 0.2; exit 3', { timeoutMs: 20_000 });
  const result = resultOf(await runIn(cgroup, bomb));
  expect(result).toMatchObject({ reason: expect.stringMatching(/^Pids limit: \d+ starts of processes refused/) });
  expect(['failed', 'timed-out']).toContain(result.kind);
  expect(cgroup.pids()).toEqual([]);
});

test('C4: a job that eats memory is killed at the limit of its cgroup, the runner is not, and the result says so', async () => {
  const cgroup = testCgroup();
  cgroup.limit('memory', 160 * 2 ** 20);
  const eater = planOf(['/usr/bin/perl', '-e', 'my @a; push @a, "x" x 1_000_000 while 1']);
  expect(resultOf(await runIn(cgroup, eater))).toEqual({
    kind: 'killed',
    signal: 'SIGKILL',
    reason: 'Out of memory: the kernel killed 1 process (max_memory).',
  });
});

test('a job that meets no limit has no reason', async () => {
  expect(resultOf(await runIn(testCgroup(), shell('exit 3')))).toEqual({ kind: 'failed', exitCode: 3 });
});

test('C4: without a cgroup memory and open files of each process are limited', async () => {
  const runner = temporaryRunner();
  const root = temporaryFolder();
  const limits = { memoryBytes: 64 * 2 ** 20, openFiles: 100 };
  const eater = planOf(['/usr/bin/perl', '-e', 'my @a; push @a, "x" x 1_000_000 while 1'], { limits });
  expect(await runner.run(join(root, '1'), eater)).toMatchObject({ exit: { kind: 'exited', code: 1 } });
  expect(readFileSync(join(root, '1/output'), 'utf8')).toMatch(/Out of memory/);
  const opener = planOf(
    ['/usr/bin/perl', '-e', 'while (open my $f, "<", "/dev/null") { push @f, $f } print @f . " $!"'],
    { limits },
  );
  expect(await runner.run(join(root, '2'), opener)).toMatchObject({ exit: { kind: 'exited', code: 0 } });
  expect(readFileSync(join(root, '2/output'), 'utf8')).toMatch(/^9\d Too many open files$/);
  const missing = planOf(['nowhere-to-be-found'], { limits });
  expect(await runner.run(join(root, '3'), missing)).toMatchObject({
    exit: { kind: 'not-started', reason: 'nowhere-to-be-found was not found.' },
  });
});

test('processor time is limited, and the result says so', async () => {
  const runner = temporaryRunner();
  const root = temporaryFolder();
  const limits = { cpuMs: 1000 };
  const burner = planOf(['/usr/bin/perl', '-e', '1 while 1'], { limits });
  const reason = 'Processor time: more than it may use (max_cpu).';
  expect(resultOf((await runner.run(join(root, '1'), burner)) as RunExit)).toEqual({
    kind: 'killed',
    signal: 'SIGXCPU',
    reason,
  });
  // A shell gives the end of its last command as its own exit code.
  const below = shell('perl -e "1 while 1"; exit $?', { limits });
  expect(resultOf((await runner.run(join(root, '2'), below)) as RunExit)).toEqual({
    kind: 'failed',
    exitCode: 152,
    reason,
  });
});
