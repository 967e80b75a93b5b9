import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { watchFolder } from '../../../src/kit/watch-folder.ts';
import { until } from '../../support/wait.ts';

const dir = mkdtempSync(join(tmpdir(), 'watch-folder-'));
afterAll(() => rmSync(dir, { recursive: true }));

it('a watched folder reports the names of what changes, until it is stopped', async () => {
  const names: (string | null)[] = [];
  const stop = watchFolder(dir, (name) => names.push(name), { everyMs: 600_000 });
  writeFileSync(join(dir, 'a'), '');
  await until(() => names.includes('a'), 'the name');
  stop();
  const other: (string | null)[] = [];
  const stopOther = watchFolder(dir, (name) => other.push(name), { everyMs: 600_000 });
  names.length = 0;
  writeFileSync(join(dir, 'b'), '');
  await until(() => other.includes('b'), 'the other one to hear it');
  stopOther();
  expect(names).toEqual([]);
});

it('a folder that cannot be watched is read at intervals', async () => {
  let looks = 0;
  const stop = watchFolder(join(dir, 'none'), (name) => (looks += Number(name === null)), {
    everyMs: 600_000,
    unwatchedMs: 1,
  });
  await until(() => looks > 1, 'two looks');
  stop();
});
