import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { blocksOf, pages } from '../support/pages.ts';

it('the manifests that the pages show are valid Puppet', () => {
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-pages-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = pages.flatMap((page) =>
    blocksOf(page, 'puppet').map((text, index) => {
      const file = join(folder, `${page.replaceAll('/', '-')}-${index}.pp`);
      writeFileSync(file, text);
      return file;
    }),
  );
  expect(files.length).toBeGreaterThan(10);
  execFileSync('puppet', ['parser', 'validate', ...files], { stdio: 'pipe' });
});
