import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { Lines, onLines } from '../../../src/kit/lines.ts';

const text = 'one\n\nthree äö\nfour';

it('lines are the same however the text is cut', () => {
  for (let at = 0; at <= text.length; at++) {
    const lines = new Lines();
    expect([...lines.take(text.slice(0, at)), ...lines.take(text.slice(at))]).toEqual(['one', '', 'three äö']);
    expect(lines.begun).toBe('four');
  }
});

it('a split line keeps no more than wanted, ended or not', () => {
  const lines = new Lines(3);
  expect(lines.take('abcdef')).toEqual([]);
  expect(lines.begun).toBe('abc');
  expect(lines.take('ghi\njklm\nno')).toEqual(['abc', 'jkl']);
  expect(lines.begun).toBe('no');
});

it('lines of a stream are whole, also where a character is cut', async () => {
  const stream = new PassThrough();
  const heard: string[] = [];
  onLines(stream, (line) => heard.push(line));
  const bytes = Buffer.from(text);
  const at = bytes.indexOf(0xc3) + 1;
  stream.write(bytes.subarray(0, at));
  stream.end(bytes.subarray(at));
  await new Promise((resolve) => stream.once('end', resolve));
  expect(heard).toEqual(['one', '', 'three äö']);
});
