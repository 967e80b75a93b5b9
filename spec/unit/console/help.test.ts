import { describe, expect, it } from 'vitest';
import page from '../../../docs/reference/console.md?raw';
import { allForms } from '../../../src/console/grammar.ts';
import { helpEntries, renderHelp } from '../../../src/console/help.ts';
import { withStatements } from '../../../src/console/reference.ts';

describe('the help of the console', () => {
  it('the console’s help has every statement, in 80 columns', () => {
    const lines = renderHelp(helpEntries(null)).split('\n');
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(78);
    expect(lines.filter((line) => /^ {2}\S/.test(line))).toHaveLength(allForms.length);
    expect(lines).toContain('  show workers                                  show all workers');
  });

  it('the console’s help is the same in docs/reference/console.md', () => {
    expect(page).toContain(renderHelp(helpEntries(null)));
    expect(withStatements(page)).toBe(page);
  });

  it('the console’s help finds what contains a word, in either spelling, or as a setting', () => {
    expect(new Set(helpEntries('worker').map(({ section }) => section))).toEqual(
      new Set(['Workers', 'Services', 'Requests']),
    );
    expect(helpEntries('framing').map(({ statement }) => statement)).toEqual([
      'set triggers name <path>',
      'set triggers <trigger>',
    ]);
    expect(helpEntries('nothing')).toEqual([]);
  });
});
