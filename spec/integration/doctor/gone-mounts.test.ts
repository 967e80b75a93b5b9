import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { holdersOfGoneMounts } from '../../../src/adapters/system/gone-mounts.ts';

it('who has a file open of a mount that is gone is found, and nobody else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-gone-mount-'));
  execFileSync('mount', ['-t', 'tmpfs', 'triggerd-test', folder]);
  const file = openSync(join(folder, 'access.log'), 'a');
  const own = async () => (await holdersOfGoneMounts()).filter(({ pid }) => pid === process.pid);
  try {
    expect(await own()).toEqual([]);
    execFileSync('umount', ['--lazy', folder]);
    expect(await own()).toEqual([{ pid: process.pid, program: expect.any(String), path: '/access.log' }]);
  } finally {
    closeSync(file);
    rmdirSync(folder);
  }
  expect(await own()).toEqual([]);
});
