import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../support/node.ts';

const rows = readFileSync(join(root, 'docs/reference/threats.md'), 'utf8')
  .split(/^## /m)
  .filter((section) => section.includes('| Test |'))
  .flatMap((section) => section.split('\n').filter((line) => /^\|(?!---)/.test(line)))
  .filter((line) => !line.endsWith('| Test |'));

const testFile = (path: string): string | undefined =>
  [`spec/${path}.test.ts`, `puppet-module/spec/${path}_spec.rb`].map((each) => join(root, each)).find(existsSync);

/** `` `faults/hostile` “one title”, “another” `` → the file and its titles. */
const testsIn = (row: string): { path: string; titles: string[] }[] =>
  [...row.matchAll(/`([\w./-]+)` ((?:“[^”]+”(?:, )?)+)/g)].map(([, path = '', titles = '']) => ({
    path,
    titles: [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => title),
  }));

describe('every line of the threat model points at tests', () => {
  it('the threat model has rows', () => expect(rows.length).toBeGreaterThan(20));

  it.each(rows)('the threat has its tests: %s', (row) => {
    const tests = testsIn(row.split('|').at(-2) ?? '');
    expect(tests).not.toEqual([]);
    for (const { path, titles } of tests) {
      const text = readFileSync(testFile(path) ?? `${path}: no such spec`, 'utf8');
      expect(titles.filter((title) => !isTitle(text, title))).toEqual([]);
    }
  });
});

/** Titles stand in quotes, in both languages. */
const isTitle = (text: string, title: string): boolean =>
  ["'", '"', '`'].some((quote) => text.includes(`${quote}${title}${quote}`));
