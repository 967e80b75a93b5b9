import { describe, expect, it } from 'vitest';
import { allForms } from '../../../src/console/grammar.ts';
import { helpEntries, renderHelp } from '../../../src/console/help.ts';

describe('the help of the console', () => {
  it('has every statement, in 80 columns', () => {
    const lines = renderHelp(helpEntries(null)).split('\n');
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(78);
    expect(lines.filter((line) => /^ {2}\S/.test(line))).toHaveLength(allForms.length);
    expect(lines).toContain('  show workers                                  all workers');
  });

  it('shows what has a word, in either spelling, or as a setting', () => {
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
