import type { OutputChunk } from './output.ts';

/** One line of a worker's output, without its newline. */
export interface OutputLine {
  readonly worker: string;
  readonly stream: 'out' | 'err';
  readonly bytes: Buffer;
}

/** A longer line is given in pieces: it must not fill our memory. */
const longestLineBytes = 1_048_576;
const newline = 0x0a;

/** Output as whole lines, each as soon as it is complete; what has no newline at its end comes when the output has ended. */
export async function* linesOf(output: AsyncIterable<OutputChunk>): AsyncGenerator<OutputLine, void, undefined> {
  const begun = new Map<string, BegunLine>();
  for await (const { worker, stream, bytes } of output) {
    const key = `${stream}${worker}`;
    const line = begun.get(key) ?? { worker, stream, parts: [], length: 0 };
    begun.set(key, line);
    yield* wholeLines(line, bytes);
  }
  for (const line of begun.values()) if (line.length > 0) yield taken(line);
}

interface BegunLine {
  readonly worker: string;
  readonly stream: 'out' | 'err';
  parts: Buffer[];
  length: number;
}

function* wholeLines(line: BegunLine, bytes: Buffer): Generator<OutputLine, void, undefined> {
  let from = 0;
  for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
    append(line, bytes.subarray(from, end));
    yield taken(line);
    from = end + 1;
  }
  append(line, bytes.subarray(from));
  if (line.length >= longestLineBytes) yield taken(line);
}

const append = (line: BegunLine, bytes: Buffer): void => {
  if (bytes.length === 0) return;
  line.parts.push(bytes);
  line.length += bytes.length;
};

const taken = (line: BegunLine): OutputLine => {
  const { worker, stream, parts } = line;
  const [first] = parts;
  const bytes = parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
  line.parts = [];
  line.length = 0;
  return { worker, stream, bytes };
};
