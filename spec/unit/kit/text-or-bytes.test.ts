import { describe, expect, it } from 'vitest';
import { lastBytesOf, tailOf, textOrBase64 } from '../../../src/kit/text-or-bytes.ts';

describe('output in JSON', () => {
  it('output in JSON is text where it is UTF-8, with U+FFFD and a byte order mark too, otherwise all its bytes', () => {
    for (const text of ['', 'uptime', '10°', '\ufffd', '\ufeffx'])
      expect(textOrBase64('text', Buffer.from(text))).toEqual({ text });
    for (const bytes of [[0xe9], [0x61, 0xff], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0x61, 0xc3]])
      expect(textOrBase64('text', Buffer.from(bytes))).toEqual({ text_base64: Buffer.from(bytes).toString('base64') });
  });

  it('output in JSON has the bytes beside the text, for readers that know only the text', () => {
    expect(tailOf(Buffer.from('caf\xe9', 'latin1'))).toEqual({ text: 'caf\ufffd', base64: 'Y2Fm6Q==' });
    expect(tailOf(Buffer.from('caf\xe9'))).toEqual({ text: 'café' });
  });

  it('output of 1 MiB in JSON causes no stack overflow', () => {
    expect(textOrBase64('text', Buffer.alloc(1_048_576, 0xff))['text_base64']).toHaveLength(1_398_104);
  });
});

describe('lastBytesOf', () => {
  it.each([
    ['a short text as it is', 'abc', 'abc'],
    ['the end of a long one', `${'a'.repeat(10)}bcdefgh`, 'abcdefgh'],
    ['no half characters', `x${'ä'.repeat(5)}b`, 'äääb'],
    ['control characters as they are', '\u001b[31m\n', '\u001b[31m\n'],
  ])('lastBytesOf keeps %s', (_, text, expected) => {
    expect(tailOf(lastBytesOf(Buffer.from(text), 8))).toEqual({ text: expected });
  });
});
