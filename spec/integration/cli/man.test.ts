import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { root } from '../../support/node.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'man-'));
  const env = { ...process.env, SOURCE_DATE_EPOCH: '1700000000' };
  execFileSync(join(root, 'node_modules/.bin/tsx'), [join(root, 'scripts/man.ts'), folder, '1.2.3'], { env });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pages = [
  'trigger.1',
  'triggerd.8',
  'triggerd.toml.5',
  'triggerfs-cli.1',
  'triggerfs-client.1',
  'triggerfs-worker.1',
  'triggerfs.1',
];

it('every command and the configuration have a manual page', () => {
  expect(readdirSync(folder).sort()).toEqual(pages);
});

it.each(pages)('%s passes mandoc’s check, has a date, and fits 80 columns', (page) => {
  const file = join(folder, page);
  expect(readFileSync(file, 'utf8')).toMatch(/^\.TH \S+ \d 2023-11-14 "triggerd 1\.2\.3"$/m);
  // mandoc exits with 2 at a warning.
  expect(execFileSync('mandoc', ['-Tlint', '-Wwarning', file], { encoding: 'utf8' })).toBe('');
  // Bold is a letter, a backspace and the letter again.
  const shown = execFileSync('mandoc', ['-Tascii', '-Owidth=80', file], { encoding: 'utf8' }).replaceAll(/.[\b]/g, '');
  expect(shown).toMatch(/^NAME$/m);
  for (const line of shown.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
});
