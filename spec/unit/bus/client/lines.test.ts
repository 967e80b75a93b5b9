import { describe, expect, it } from 'vitest';
import { linesOf } from '../../../../src/bus/client/lines.ts';
import type { OutputChunk } from '../../../../src/bus/client/output.ts';

const chunk = (text: string | Buffer, worker = 'a', stream: 'out' | 'err' = 'out'): OutputChunk => ({
  worker,
  stream,
  bytes: Buffer.from(text),
});

async function* of(...chunks: OutputChunk[]): AsyncGenerator<OutputChunk, void, undefined> {
  yield* chunks;
}

const read = async (...chunks: OutputChunk[]): Promise<string[]> => {
  const lines: string[] = [];
  for await (const { worker, stream, bytes } of linesOf(of(...chunks))) lines.push(`${worker} ${stream} ${bytes}`);
  return lines;
};

describe('the lines of an output', () => {
  it('output lines are whole, however the bytes arrived', async () => {
    expect(await read(chunk('on'), chunk('e\ntwo\nth'), chunk('ree'))).toEqual([
      'a out one',
      'a out two',
      'a out three',
    ]);
  });

  it('output lines of several workers and streams never mix', async () => {
    expect(await read(chunk('on'), chunk('zwei\n', 'b'), chunk('oops\n', 'a', 'err'), chunk('e\n'))).toEqual([
      'b out zwei',
      'a err oops',
      'a out one',
    ]);
  });

  it('output lines may be empty', async () => {
    expect(await read(chunk('\n\n'))).toEqual(['a out ', 'a out ']);
  });

  it('output lines keep bytes that are not UTF-8', async () => {
    const lines: Buffer[] = [];
    for await (const { bytes } of linesOf(of(chunk(Buffer.from([0xff, 0x00])), chunk(Buffer.from([0xfe, 0x0a])))))
      lines.push(bytes);
    expect(lines).toEqual([Buffer.from([0xff, 0x00, 0xfe])]);
  });

  it('output lines that never end are cut', async () => {
    const lines = await read(...Array.from({ length: 20 }, () => chunk('x'.repeat(65_536))), chunk('\n'));
    expect(lines.map((line) => line.length - 'a out '.length)).toEqual([1_048_576, 4 * 65_536]);
  });
});
