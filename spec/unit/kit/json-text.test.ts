import { expect, it } from 'vitest';
import { jsonText } from '../../../src/kit/json-text.ts';

it('JSON text has no control and no format character, and is the same when it is parsed', () => {
  const all = Array.from({ length: 0x1_1000 }, (_, code) => code)
    .concat(0xe0001, 0x1d173)
    .map((code) => String.fromCodePoint(code))
    .join('');
  const document = { [all]: [all, { text: 'a\u202eb\u009b2J\u007f\u2028' }] };
  const text = jsonText(document);
  expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  expect(text).toContain('a\\u202eb\\u009b2J\\u007f\\u2028');
  expect(JSON.parse(text)).toEqual(document);
  expect(jsonText({ a: ['ü 漢 🙂'] }, 2)).toBe('{\n  "a": [\n    "ü 漢 🙂"\n  ]\n}');
});
