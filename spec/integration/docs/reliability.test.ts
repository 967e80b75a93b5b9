import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../support/node.ts';

const [, part = ''] = readFileSync(join(root, 'docs/reference/faults.md'), 'utf8').split(
  '## Seen elsewhere, tried here',
);
const rows = (part.split(/^## /m)[0] ?? '').split('\n').filter((line) => /^\|(?!---| Situation)/.test(line));

describe('every situation that was seen elsewhere has its test here', () => {
  it('the table of situations has rows', () => expect(rows.length).toBeGreaterThan(10));

  it.each(rows)('the situation has its test: %s', (row) => {
    const specs = [...(row.split(' | ').at(-1) ?? '').matchAll(/`([\w./-]+)`/g)].map(([, path = '']) => path);
    expect(specs).not.toEqual([]);
    expect(specs.filter((path) => !existsSync(join(root, `spec/${path}.test.ts`)))).toEqual([]);
  });
});
