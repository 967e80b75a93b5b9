import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { identityOf, isAlive } from '../../../src/adapters/process/process-identity.ts';
import { createWatchPaths } from '../../../src/adapters/process/watch-paths.ts';
import { temporaryFolder } from '../../support/journal.ts';
import { until } from '../../support/wait.ts';

const counting = (paths: readonly string[], atMostMs?: number) => {
  const seen = { changes: 0 };
  onTestFinished(
    createWatchPaths(atMostMs)(paths, () => {
      seen.changes += 1;
    }),
  );
  return seen;
};

test('a lock file that comes and goes is noticed, a neighbour is not', async () => {
  const folder = temporaryFolder();
  const lock = join(folder, 'agent.lock');
  const seen = counting([lock]);
  await until(() => seen.changes === 1, 'the watch to begin');
  writeFileSync(join(folder, 'neighbour'), '');
  writeFileSync(lock, '');
  await until(() => seen.changes > 1, 'the lock that came');
  const before = seen.changes;
  rmSync(lock);
  await until(() => seen.changes > before, 'the lock that went');
});

test('a folder that changes continuously is read at intervals, and after its last change', async () => {
  const folder = temporaryFolder();
  const lock = join(folder, 'agent.lock');
  const looks: boolean[] = [];
  onTestFinished(createWatchPaths()([lock], () => void looks.push(existsSync(lock))));
  await until(() => looks.length > 0, 'the watch to begin');
  for (let change = 0; change < 2_000; change += 1) await writeFile(lock, String(change));
  rmSync(lock);
  await until(() => looks.at(-1) === false && looks.includes(true), 'the look after the last change');
  expect(looks.length).toBeLessThan(500);
});

test('a path in a folder that does not exist is checked at intervals', async () => {
  const seen = counting(['/nowhere/at/all/agent.lock'], 20);
  await until(() => seen.changes > 1, 'two looks');
});

test('a process is recognized by more than its PID', () => {
  const self = identityOf(process.pid);
  expect(self && isAlive(self)).toBe(true);
  expect(self && isAlive({ ...self, startTime: '1' })).toBe(false);
  expect(self && isAlive({ ...self, bootId: 'another boot' })).toBe(false);
  expect(identityOf(2 ** 22 + 1)).toBeUndefined();
});
