import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/journal.ts';
import { planOf } from '../support/plans.ts';
import { openFiles, temporaryRunner, zombiesOf } from '../support/processes.ts';

test('C7: 10,000 short jobs leave no zombie, no open file, and no memory', async () => {
  const runner = temporaryRunner();
  const root = temporaryFolder();
  const run = async (name: string) =>
    expect(await runner.run(join(root, name), planOf(['/bin/true']))).toMatchObject({
      exit: { kind: 'exited', code: 0 },
    });
  // A young heap grows to its size first.
  for (let job = 0; job < 5_000; job++) await run(`warm${job}`);
  const { pid } = JSON.parse(readFileSync(join(root, 'warm0/claim'), 'utf8').split('\n')[0] ?? '') as { pid: number };
  const gauge = () => ({ runner: openFiles(pid), us: openFiles(process.pid), kB: residentKb(pid) });
  const before = gauge();
  for (let job = 0; job < 10_000; job++) await run(String(job));
  const after = gauge();
  process.stderr.write(`C7: ${JSON.stringify({ before, after })}\n`);
  expect(after.runner).toBeLessThanOrEqual(before.runner + 2);
  expect(after.us).toBeLessThanOrEqual(before.us + 2);
  expect(after.kB).toBeLessThan(before.kB + 20_000);
  expect([zombiesOf(pid), zombiesOf(process.pid)]).toEqual([0, 0]);
});

const residentKb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
