import { describe, expect, it } from 'vitest';
import { painter } from '../../../src/cli/render/color.ts';
import { renderFindings } from '../../../src/cli/render/findings.ts';
import { fine, unused, warning, wrong } from '../../../src/doctor/finding.ts';
import { widthOf, wrap } from '../../../src/kit/width.ts';

const findings = [
  fine('daemon', 'triggerd 0.1.0'),
  unused('FUSE', 'no trigger files here'),
  warning('etcd', 'a long story '.repeat(12), 'Do this.'),
  wrong('certificates', `\u001b[31m/${'x'.repeat(90)}`, 'Renew it.'),
];

describe('the screen of findings', () => {
  it('the screen of findings fits 80 columns, and shows control characters instead of obeying them', () => {
    const text = renderFindings(findings, 80, painter(false));
    for (const line of text.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(80);
    expect(text).toMatch(/^ok {7}daemon {9}triggerd 0\.1\.0$/m);
    expect(text).toMatch(/^ {24}→ Do this\.$/m);
    expect(text).toContain('\\e[31m/');
    expect(text).toMatch(/\n1 wrong, 1 warning\.$/);
  });

  it('the screen of findings is not cut outside of a terminal', () => {
    expect(renderFindings(findings, null, painter(false)).split('\n')).toHaveLength(8);
  });

  it('the screen of findings ends with one line that sums it up', () => {
    const last = (...shown: typeof findings) => renderFindings(shown, 80, painter(false)).split('\n').at(-1);
    expect(last(fine('daemon', 'x'))).toBe('All is well.');
    expect(last(...findings.slice(0, 3))).toBe('Nothing is wrong; 1 warning.');
  });

  it('the screen of findings breaks between words, and in a word that is too long', () => {
    expect(wrap('ab cd ef', 5)).toEqual(['ab cd', 'ef']);
    expect(wrap('abcdefgh ij', 3)).toEqual(['abc', 'def', 'gh', 'ij']);
    expect(wrap('', 3)).toEqual(['']);
  });
});
