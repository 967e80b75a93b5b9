import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createOutputFile } from '../../../src/adapters/process/output-file.ts';
import { temporaryFolder } from '../../support/journal.ts';

const tail = 64 * 1024;
/** Writes the chunks with a cap, and reads both files back. */
const written = (maxBytes: number, chunks: readonly string[]) => {
  const folder = temporaryFolder();
  const file = createOutputFile(folder, maxBytes);
  for (const chunk of chunks) file.write('o', Buffer.from(chunk));
  const total = file.close();
  const output = readFileSync(join(folder, 'output'), 'utf8');
  return { total, output, index: () => readFileSync(join(folder, 'output.idx'), 'utf8') };
};

test.each([0, 1, 9, 10])('an output of %d bytes within a cap of 10 is kept unchanged', (length) => {
  expect(written(10, ['x'.repeat(length)])).toMatchObject({ total: length, output: 'x'.repeat(length) });
});

test('an output that fits into head and tail together is whole, without a marker', () => {
  const text = 'a'.repeat(10) + 'b'.repeat(tail);
  expect(written(10, [text]).output).toBe(text);
});

test.each([1, 1000, tail, 10 * tail])('an output with one byte too many is counted, in chunks of %d', (size) => {
  const text = `${'a'.repeat(10)}b${'c'.repeat(tail)}`;
  const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));
  const { output, total } = written(10, chunks);
  expect(total).toBe(text.length);
  expect(output).toBe(`${'a'.repeat(10)}\n[triggerd: 1 bytes left out]\n${'c'.repeat(tail)}`);
});

test('the index of the output adds up to the file', () => {
  const { output, index } = written(10, ['12345\n', 'abcdef', 'z'.repeat(2 * tail)]);
  const lengths = index()
    .trim()
    .split('\n')
    .map((line) => Number(line.split(' ')[2]));
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(Buffer.byteLength(output));
});
