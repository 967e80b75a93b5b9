import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { LaunchPlan } from '../../../src/queue/ports/runner.ts';
import { fillDisk, limitOpenFiles } from '../../support/faults.ts';
import { temporaryFolder } from '../../support/journal.ts';
import { planOf, shell } from '../../support/plans.ts';
import { openFiles, temporaryRunner } from '../../support/processes.ts';
import { until } from '../../support/wait.ts';

/** A small disk; a file on it is counted in pages of 4 KiB. */
const disk = (size: string): string => {
  const folder = temporaryFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', folder]);
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
  return folder;
};

const pidOfRunner = (folder: string): number =>
  (JSON.parse(readFileSync(join(folder, 'claim'), 'utf8').split('\n')[0] ?? '') as { pid: number }).pid;

test.each<[string, Partial<LaunchPlan>]>([
  ['the context document', { context: 'x'.repeat(30_000) }],
  ['the input', { stdin: 'x'.repeat(30_000) }],
])(
  'a disk that is full for %s alone starts nothing, and says so; later the job runs normally',
  async (_what, changes) => {
    const root = disk('48k');
    const folder = join(root, '1');
    const runner = temporaryRunner();
    const plan = shell('echo ran', changes);
    await expect(runner.run(folder, plan)).rejects.toThrow('ENOSPC');
    expect(await runner.adopt(folder)).toBe('never-started');
    expect(readdirSync(folder).filter((name) => /claim|status|stdin|context/.test(name))).toEqual([]);
    execFileSync('mount', ['-o', 'remount,size=1m', root]);
    expect(await runner.run(folder, plan)).toMatchObject({ exit: { kind: 'exited', code: 0 } });
  },
);

test('a disk that is full for the plan itself leaves nothing that could be started', async () => {
  const root = disk('48k');
  const runner = temporaryRunner();
  const free = fillDisk(root);
  await expect(runner.run(join(root, '1'), shell('echo ran'))).rejects.toThrow('ENOSPC');
  expect(await runner.adopt(join(root, '1'))).toBe('never-started');
  free();
  expect(await runner.run(join(root, '1'), shell('true'))).toMatchObject({ exit: { kind: 'exited', code: 0 } });
});

test('a runner without file descriptors starts nothing, says so, and works again when it has some', async () => {
  const root = temporaryFolder();
  const runner = temporaryRunner();
  await runner.run(join(root, '1'), planOf(['/bin/true']));
  const pid = pidOfRunner(join(root, '1'));
  const before = openFiles(pid);
  limitOpenFiles(pid, before + 2);
  await expect(runner.run(join(root, '2'), shell('true', { stdin: 'x' }))).rejects.toThrow('EMFILE');
  limitOpenFiles(pid, 1024);
  await until(() => openFiles(pid) <= before, 'the release of what was opened');
  expect(await runner.run(join(root, '2'), shell('true'))).toMatchObject({ exit: { kind: 'exited', code: 0 } });
  expect(pidOfRunner(join(root, '2'))).toBe(pid);
});
