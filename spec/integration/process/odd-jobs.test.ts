import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readTail } from '../../../src/adapters/files/tail-file.ts';
import type { LaunchPlan, RunExit } from '../../../src/queue/ports/runner.ts';
import { temporaryFolder } from '../../support/journal.ts';
import { planOf, shell } from '../../support/plans.ts';
import { temporaryRunner } from '../../support/processes.ts';

const run = async (plan: LaunchPlan): Promise<{ ending: RunExit; folder: string }> => {
  const folder = join(temporaryFolder(), '1');
  const ending = await temporaryRunner().run(folder, plan);
  if (typeof ending === 'string') throw new Error(ending);
  return { ending, folder };
};

test('C5: a million lines are kept whole, with an index that stays small', async () => {
  const { ending, folder } = await run(shell('seq 1 1000000', { maxOutputBytes: 10_000_000 }));
  expect(ending).toMatchObject({ exit: { kind: 'exited', code: 0 }, outputBytes: 6_888_896 });
  const text = readFileSync(join(folder, 'output'), 'latin1');
  expect(text.length).toBe(6_888_896);
  expect(text.endsWith('\n999999\n1000000\n')).toBe(true);
  expect(statSync(join(folder, 'output.idx')).size).toBeLessThan(100_000);
});

test('C5: bytes that are not UTF-8 are kept unchanged; what is shown of them is text', async () => {
  const { folder } = await run(shell(`printf 'ok \\377\\376\\200 \\303'`));
  expect(readFileSync(join(folder, 'output')).toString('hex')).toBe('6f6b20fffe8020c3');
  const shown = String((await readTail(join(folder, 'output'), 4096)) ?? '');
  expect(shown).toMatch(/^ok \ufffd+ \ufffd$/);
  expect(Buffer.from(shown, 'utf8').toString('utf8')).toBe(shown);
});

test('C5: a job that closes its output continues, and its own exit is the result', async () => {
  const { ending } = await run(shell('exec >&- 2>&-; sleep 0.2; exit 5'));
  expect(ending).toMatchObject({ exit: { kind: 'exited', code: 5 }, outputBytes: 0 });
  expect(ending.times.realS).toBeGreaterThan(0.19);
});

test('C6: a program that is being written, and one whose interpreter is missing, fail to start with that reason', async () => {
  const folder = temporaryFolder();
  const busy = join(folder, 'busy');
  copyFileSync('/bin/true', busy);
  chmodSync(busy, 0o755);
  const writer = openSync(busy, 'r+');
  expect((await run(planOf([busy]))).ending.exit).toEqual({
    kind: 'not-started',
    reason: `${busy} is being written by another process.`,
  });
  closeSync(writer);
  const orphan = join(folder, 'orphan');
  writeFileSync(orphan, '#!/nowhere/interpreter\n', { mode: 0o755 });
  expect((await run(planOf([orphan]))).ending.exit).toEqual({
    kind: 'not-started',
    reason: `The interpreter that ${orphan} names was not found.`,
  });
});

test('C6: a job whose program and folder vanish while it runs ends normally', async () => {
  const folder = temporaryFolder();
  const script = join(folder, 'script');
  mkdirSync(join(folder, 'cwd'));
  writeFileSync(script, `#!/bin/sh\nrm -r ${script} ${folder}/cwd\necho gone\nexit 4\n`, { mode: 0o755 });
  const { ending, folder: job } = await run(planOf([script], { cwd: join(folder, 'cwd') }));
  expect(ending).toMatchObject({ exit: { kind: 'exited', code: 4 }, cause: 'itself' });
  expect(readFileSync(join(job, 'output'), 'utf8')).toBe('gone\n');
});

test.each(['TERM', 'KILL', 'ABRT', 'PIPE', 'USR1'])(
  'C6: a job killed by SIG%s is reported with that signal’s name',
  async (signal) => {
    const { ending } = await run(shell(`kill -${signal} $$`));
    expect(ending).toMatchObject({ exit: { kind: 'signalled', signal: `SIG${signal}` }, cause: 'itself' });
  },
);
