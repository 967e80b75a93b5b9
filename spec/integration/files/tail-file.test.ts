import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lengthOf, placeOfLastLines, readTail, tailFile } from '../../../src/adapters/files/tail-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'triggerd-tail-'));
  file = join(folder, 'output');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ended = Promise.resolve();
const never = new AbortController().signal;
const textOf = async (lines?: number): Promise<string> => {
  const from = lines === undefined ? 0 : await placeOfLastLines(file, lines);
  const chunks: Buffer[] = [];
  for await (const chunk of tailFile(file, { ended, signal: never, from })) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

it.each([
  ['a\nb\nc\n', 2, 'b\nc\n'],
  ['a\nb\nc', 2, 'b\nc'],
  ['a\nb\n', 5, 'a\nb\n'],
  ['a\n\n\n', 2, '\n\n'],
  ['abc', 1, 'abc'],
  ['abc\n', 0, ''],
  ['', 3, ''],
])('in %j the last %i lines are %j', async (content, lines, expected) => {
  writeFileSync(file, content);
  expect(await textOf(lines)).toBe(expected);
});

it('the last lines of a missing file begin at byte 0', async () => {
  expect([await placeOfLastLines(file, 10), await lengthOf(file)]).toEqual([0, 0]);
  writeFileSync(file, 'abc');
  expect(await lengthOf(file)).toBe(3);
});

it('the last lines of a file are found across blocks', async () => {
  writeFileSync(file, `${'x'.repeat(200_000)}\n${'y'.repeat(150_000)}\n${'z'.repeat(100_000)}\n`);
  expect((await textOf(2)).length).toBe(250_002);
});

it('a read of a file returns everything, and nothing where no file exists', async () => {
  expect(await textOf()).toBe('');
  writeFileSync(file, 'ü\0\n');
  expect(await textOf()).toBe('ü\0\n');
});

it('a follower waits for a file that appears later and grows, until the end', async () => {
  let end: () => void = () => undefined;
  const jobEnds = new Promise<void>((resolve) => {
    end = resolve;
  });
  const steps = [() => appendFileSync(file, 'two\n'), () => appendFileSync(file, 'three\n'), () => end()];
  const seen: string[] = [];
  const following = tailFile(file, { ended: jobEnds, signal: never });
  const first = following.next(); // before the file exists
  writeFileSync(file, 'one\n');
  for (let chunk = await first; chunk.done !== true; chunk = await following.next()) {
    seen.push(chunk.value.toString());
    steps.shift()?.();
  }
  expect(seen).toEqual(['one\n', 'two\n', 'three\n']);
});

it('a follower continues with the file that replaces the one it reads', async () => {
  let end: () => void = () => undefined;
  const jobEnds = new Promise<void>((resolve) => {
    end = resolve;
  });
  const replace = (): void => {
    appendFileSync(file, 'last of the first attempt\n');
    rmSync(file);
    writeFileSync(file, 'second\n');
  };
  const steps = [replace, () => undefined, () => end()];
  writeFileSync(file, 'first attempt\n');
  const seen: string[] = [];
  for await (const chunk of tailFile(file, { ended: jobEnds, signal: never, from: 6 })) {
    seen.push(chunk.toString());
    steps.shift()?.();
  }
  expect(seen).toEqual(['attempt\n', 'last of the first attempt\n', 'second\n']);
});

it('the end of a file is read from a whole character on', async () => {
  writeFileSync(file, 'aüüü');
  expect(String(await readTail(file, 5))).toBe('üü');
  expect(String(await readTail(file, 100))).toBe('aüüü');
  expect(await readTail(join(folder, 'missing'), 5)).toBeNull();
});
