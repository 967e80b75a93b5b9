import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readFirstError } from '../../../src/adapters/puppet/first-error.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'triggerd-output-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `o` and `e` in turns, as a runner writes them. */
const output = (...pieces: ['o' | 'e', string][]) => {
  writeFileSync(join(folder, 'output'), pieces.map(([, text]) => text).join(''));
  writeFileSync(
    join(folder, 'output.idx'),
    pieces.map(([tag, text]) => `1 ${tag} ${Buffer.byteLength(text)}\n`).join(''),
  );
};

it.each<[string, string | null, ['o' | 'e', string][]]>([
  [
    'the first error of Puppet',
    'no such file é',
    [
      ['o', 'Notice: é\n'],
      ['e', 'Warning: w\nError: no such file é\nError: later\n'],
    ],
  ],
  ['without its colours', 'Could not run', [['e', '\u001b[1;31mError: Could not run\u001b[0m\n']]],
  [
    'not what Facter could not find',
    'Could not run',
    [['e', 'Error: Facter: a\nError: Facter: b\nError: Could not run\n']],
  ],
  [
    'else the first words of a wrapper on stderr',
    'sudo: no',
    [
      ['o', 'é out\n'],
      ['e', '\nx.rb:1: warning: old\nsudo: no\nbye\n'],
    ],
  ],
  [
    'nothing where only stdout and notices are',
    null,
    [
      ['o', 'out\n'],
      ['e', 'Notice: n\n'],
    ],
  ],
  ['nothing of a job without output', null, []],
  ['of a long one its beginning', `${'x'.repeat(299)}…`, [['e', `Error: ${'x'.repeat(400)}\n`]]],
])('the reason of a failed job is %s', async (_what, reason, pieces) => {
  output(...pieces);
  expect(await readFirstError(folder)).toBe(reason);
});

it('a job whose output is gone has no reason', async () => {
  expect(await readFirstError(join(folder, 'nowhere'))).toBeNull();
});
