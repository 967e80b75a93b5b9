import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { tailFile } from '../../../src/adapters/files/tail-file.ts';
import { temporaryFolder } from '../../support/journal.ts';

/** Acts once: after the file was read, and before it is looked at whether it is another one by now. */
const beforeLook = (act: () => void): void => {
  const { stat } = fs;
  const restore = () => {
    fs.stat = stat;
    syncBuiltinESMExports();
  };
  fs.stat = ((path: string) => {
    restore();
    act();
    return stat(path);
  }) as typeof stat;
  syncBuiltinESMExports();
  onTestFinished(restore);
};

it('a follower loses nothing of a file that grows and is replaced just after it was read', async () => {
  const file = join(temporaryFolder(), 'output');
  writeFileSync(file, 'first\n');
  let acted = false;
  beforeLook(() => {
    acted = true;
    appendFileSync(file, 'last of the first attempt\n');
    rmSync(file);
    writeFileSync(file, 'second\n');
  });
  const seen: string[] = [];
  const never = new AbortController().signal;
  for await (const chunk of tailFile(file, { ended: Promise.resolve(), signal: never })) seen.push(chunk.toString());
  expect(acted).toBe(true);
  expect(seen).toEqual(['first\n', 'last of the first attempt\n', 'second\n']);
});
