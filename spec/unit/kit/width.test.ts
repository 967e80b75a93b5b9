import stringWidth from 'string-width';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { cutEnd, cutStart, padEnd, widthOf, withWidths, wrap } from '../../../src/kit/width.ts';

beforeAll(() => withWidths(() => String(widthOf('測'))));

describe('the width of a text', () => {
  it.each([
    ['abc', 3],
    ['Größe', 5],
    ['Gro\u0308ße', 5],
    ['測試', 4],
    ['🚀', 2],
    ['👩‍👩‍👧‍👦', 2],
    ['👍🏽', 2],
    ['🇩🇪', 2],
    ['❤️', 2],
    ['1️⃣', 2],
    ['⌚', 2],
    ['각', 2],
    ['→ …', 3],
    ['\u200b', 0],
  ])('the text %s takes %d columns', (text, width) => {
    expect(widthOf(text)).toBe(width);
    expect(stringWidth(padEnd(text, 10))).toBe(10);
  });

  it('the width of a text matches the table for every code point, with and without the cache', () => {
    const wrong: string[] = [];
    for (let code = 0x20; code < 0x20_000; code++) {
      const char = String.fromCodePoint(code);
      // Surrogates, and controls that `visible` has made harmless before.
      if (/[\p{Cs}\p{Cc}]/u.test(char)) continue;
      if (widthOf(`a${char}`) !== stringWidth(`a${char}`)) wrong.push(code.toString(16));
    }
    expect(wrong).toEqual([]);
  });
});

describe('a text that is too wide', () => {
  it('a text that is too wide is cut to a width', () => {
    expect(cutEnd('abcdef', 4)).toBe('abc…');
    expect(cutEnd('測試測', 4)).toBe('測…');
    expect(cutStart('/var/lib/x', 6)).toBe('…lib/x');
    expect(cutEnd('abc', 3)).toBe('abc');
    expect(cutEnd('abc', 0)).toBe('');
  });

  it.each(['👩‍👩‍👧‍👦', 'e\u0301', '🇩🇪', '각', '❤️'])(
    'a text that is too wide is never cut in the middle of %s',
    (whole) => {
      const text = whole.repeat(6);
      for (let width = 1; width <= widthOf(text); width++) {
        for (const cut of [cutEnd(text, width), cutStart(text, width)]) {
          expect(stringWidth(cut)).toBeLessThanOrEqual(width);
          expect(cut.replaceAll(whole, '').replace('…', '')).toBe('');
        }
        for (const line of wrap(text, Math.max(2, width))) {
          expect(stringWidth(line)).toBeLessThanOrEqual(Math.max(2, width));
          expect(line.replaceAll(whole, '')).toBe('');
        }
      }
    },
  );

  it('a text that is too wide is wrapped between words, and in a word that is too long', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('a 測試測試 b', 4)).toEqual(['a', '測試', '測試', 'b']);
    expect(wrap('測試', 1)).toEqual(['測', '試']);
  });
});

it('texts of one column a character are rendered once, and others again when their widths are known', async () => {
  vi.resetModules();
  const fresh = await import('../../../src/kit/width.ts');
  let calls = 0;
  const rendered = (text: string) =>
    fresh.withWidths(() => {
      calls++;
      return fresh.padEnd(text, 12);
    });
  expect([await rendered('Größe → …'), calls]).toEqual(['Größe → …   ', 1]);
  expect([await rendered('測'), calls]).toEqual(['測          ', 3]);
  expect([await rendered('測'), calls]).toEqual(['測          ', 4]);
});
