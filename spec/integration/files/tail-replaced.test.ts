import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { tailFile } from '../../../src/adapters/files/tail-file.ts';
import { temporaryFolder } from '../../support/journal.ts';

/** What happens after the file was read, and before it is looked at whether it is another one by now. */
let beforeLook = (): void => undefined;
vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>();
  const stat = (path: string) => {
    beforeLook();
    return fs.stat(path);
  };
  return { ...fs, stat };
});

it('loses nothing of a file that grows and is replaced just after it was read', async () => {
  const file = join(temporaryFolder(), 'output');
  writeFileSync(file, 'first\n');
  beforeLook = () => {
    beforeLook = () => undefined;
    appendFileSync(file, 'last of the first attempt\n');
    rmSync(file);
    writeFileSync(file, 'second\n');
  };
  const seen: string[] = [];
  const never = new AbortController().signal;
  for await (const chunk of tailFile(file, { ended: Promise.resolve(), signal: never })) seen.push(chunk.toString());
  expect(seen).toEqual(['first\n', 'last of the first attempt\n', 'second\n']);
});
