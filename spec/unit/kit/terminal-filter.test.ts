// biome-ignore-all lint/suspicious/noControlCharactersInRegex: control characters are what this is about
import { describe, expect, it } from 'vitest';
import { createTerminalFilter, terminalText } from '../../../src/kit/terminal-filter.ts';
import { type Random, seeded } from '../../support/random.ts';

describe('foreign text on a terminal', () => {
  it.each([
    ['plain text, tabs and other scripts', 'Größe\t漢字 🙂 שלום\n', 'Größe\t漢字 🙂 שלום\n'],
    ['colours', '\u001b[1;31mred\u001b[0m \u001b[38;5;9mx\u001b[m', '\u001b[1;31mred\u001b[0m \u001b[38;5;9mx\u001b[m'],
    ['the clipboard (OSC 52)', 'a\u001b]52;c;cm0gLXJmIC8=\u0007b', 'ab'],
    ['an OSC that ends with ST', 'a\u001b]0;title\u001b\\b', 'ab'],
    ['a link (OSC 8)', '\u001b]8;;http://evil\u001b\\docs\u001b]8;;\u001b\\', 'docs'],
    ['CSI as C1', 'a\u009b2Jb\u009b31mc', 'ab\u001b[31mc\u001b[0m'],
    ['OSC as C1', 'a\u009d52;c;eA==\u009cb', 'ab'],
    ['a DCS and an APC', 'a\u001bP$qm\u001b\\b\u001b_x\u001b\\c', 'abc'],
    ['the cursor and the screen', 'a\u001b[2J\u001b[1;1H\u001b[?1049h\u001bcb', 'ab'],
    ['settings of keys that look like colours', 'a\u001b[>4;2mb\u001b[?4mc\u001b[1$md', 'abcd'],
    ['a character set', 'a\u001b(0b', 'ab'],
    ['overwriting', 'real\rfake\b\b\u007f\u0007', 'realfake'],
    ['an OSC that nobody ends: its line only', 'a\u001b]52;c;eA==\nb', 'a\nb'],
    ['a sequence in a sequence', 'a\u001b[3\u001b[31mb\u001b[0m', 'a\u001b[31mb\u001b[0m'],
    ['a newline in a sequence', 'a\u001b[3\n1mb', 'a\n1mb'],
    ['a cancelled sequence', 'a\u001b[3\u00181mb', 'a1mb'],
    ['a colour that continues behind its line', '\u001b[8mhidden\nnext', '\u001b[8mhidden\u001b[0m\nnext'],
    ['a colour that nobody ends', '\u001b[31mred', '\u001b[31mred\u001b[0m'],
    ['a colour of endless length', `a\u001b[${'1;'.repeat(40)}mb`, 'ab'],
    ['another direction of text', 'a\u202eb\u2066c\u200fd\u061ce', 'abcde'],
    ['joiners of other scripts, which stay', 'क्\u200dष 👩\u200d👧', 'क्\u200dष 👩\u200d👧'],
  ])('foreign text on a terminal: %s', (_what, given, expected) => {
    expect(terminalText(given)).toBe(expected);
    expect(terminalText(Buffer.from(given))).toBe(expected);
  });

  it('foreign bytes that are not UTF-8 are no controls', () => {
    expect(terminalText(Buffer.from([0x61, 0x9b, 0x32, 0x4a, 0xff, 0x62]))).toBe('a\ufffd2J\ufffdb');
  });

  it('foreign text filters the same however the bytes are split, to nothing but text and colours', () => {
    const random = seeded(20_261_130);
    const harmful =
      /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|\u001b(?!\[[\d;:]*m)/;
    for (let round = 0; round < 3_000; round++) {
      const { bytes, text } = hostile(random);
      const whole = terminalText(bytes);
      expect(split(bytes, random), JSON.stringify(bytes.toString('latin1'))).toBe(whole);
      expect(whole).not.toMatch(harmful);
      expect(terminalText(whole)).toBe(whole);
      if (text !== undefined)
        expect(whole.replaceAll('\u001b[0m', '')).toBe(reference(text).replaceAll('\u001b[0m', ''));
    }
  });
});

const split = (bytes: Buffer, random: Random): string => {
  const filter = createTerminalFilter();
  let shown = '';
  for (let from = 0; from < bytes.length; ) {
    const to = Math.min(bytes.length, from + 1 + random.between(0, 4));
    shown += filter.take(bytes.subarray(from, to));
    from = to;
  }
  return shown + filter.end();
};

/** Whole sequences among text; every third time also broken ones and any bytes, of which no reference knows. */
const sequences = [
  ...[
    '\u001b[31m',
    '\u001b[0m',
    '\u001b[m',
    '\u001b[1;38:2:1:2:3m',
    '\u009b4m',
    '\u001b[2K',
    '\u001b[?25l',
    '\u009b1;1H',
    '\u001b[>4;1m',
    '\u001b[1 q',
  ],
  ...[
    '\u001b]52;c;eA==\u0007',
    '\u001b]0;ü\u001b\\',
    '\u009d2;x\u009c',
    '\u001bPq#\u001b\\',
    '\u0090x\u009c',
    '\u001b_x\u001b\\',
  ],
  ...['\u001bc', '\u001b7', '\u001b(B', '\u0085', '\u0007', '\r', '\u007f', '\u202e', '\u2067'],
];
const texts = ['a', ' m', '[31m', ']52;', '0;1', 'ü', '漢', '🙂', '\n', '\t', '\\', '\u200d', 'P_^'];
const pieces = [
  '\u001b',
  '\u009b',
  '\u001b[',
  '\u001b]',
  '\u001bP',
  '1;',
  'm',
  '\u0018',
  '\u009c',
  '\u001b[1;\u00079',
  '?',
];

const hostile = (random: Random): { readonly bytes: Buffer; readonly text?: string } => {
  const isWhole = random.between(0, 3) > 0;
  const parts = Array.from({ length: 1 + random.between(0, 12) }, () =>
    random.pick(isWhole ? [sequences, texts] : [sequences, texts, pieces, pieces]),
  ).map((kind) => random.pick(kind));
  const text = parts.join('');
  if (isWhole) return { bytes: Buffer.from(text), text };
  const noise = Buffer.from(Array.from({ length: random.between(0, 4) }, () => random.between(0, 256)));
  const bytes = Buffer.from(text);
  const at = random.between(0, bytes.length);
  return { bytes: Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]) };
};

/** What ECMA-48 says of whole sequences, in one expression; colours as `ESC [`. */
const reference = (text: string): string =>
  text
    .replace(/(?:\u001b[P\]_^X]|[\u0090\u0098\u009d-\u009f])[^\u0007\u009c\u001b\n]*(?:\u0007|\u009c|\u001b\\)/g, '')
    .replace(
      /(?:\u001b\[|\u009b)([0-?]*)([ -/]*)([@-~])/g,
      (_all, parameters: string, middle: string, final: string) =>
        final === 'm' && middle === '' && /^[\d;:]*$/.test(parameters) ? `\ue000${parameters}\ue001` : '',
    )
    .replace(/\u001b[ -/]*[0-~]/g, '')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
    .replace(/\ue000([^\ue001]*)\ue001/g, '\u001b[$1m');
