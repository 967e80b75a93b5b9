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
  const lines = new LineSplitter();
  for await (const chunk of output) yield* lines.take(chunk);
  yield* lines.rest();
}

/** Puts bytes of several workers and streams together to lines, each of one worker and stream. */
export class LineSplitter {
  readonly #begun = new Map<string, BegunLine>();

  /** The lines that this piece completes. */
  *take({
    worker,
    stream,
    bytes,
  }: Pick<OutputChunk, 'worker' | 'stream'> & { readonly bytes: Uint8Array }): Generator<OutputLine, void, undefined> {
    const key = `${stream}${worker}`;
    const line = this.#begun.get(key) ?? { worker, stream, parts: [], length: 0 };
    this.#begun.set(key, line);
    let from = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
      append(line, bytes.subarray(from, end));
      yield taken(line);
      from = end + 1;
    }
    append(line, bytes.subarray(from));
    if (line.length >= longestLineBytes) yield taken(line);
  }

  /**
   * What there is of a line that is not complete; its rest comes as if it was one of its own. Undefined where there is none, or
   * several have begun.
   */
  begun(): OutputLine | undefined {
    const [line, ...others] = [...this.#begun.values()].filter(({ length }) => length > 0);
    return line === undefined || others.length > 0 ? undefined : taken(line);
  }

  /** What has no newline at its end, of all workers or of one. */
  *rest(worker?: string): Generator<OutputLine, void, undefined> {
    for (const line of this.#begun.values())
      if (line.length > 0 && (worker === undefined || line.worker === worker)) yield taken(line);
  }
}

interface BegunLine {
  readonly worker: string;
  readonly stream: 'out' | 'err';
  parts: Uint8Array[];
  length: number;
}

const append = (line: BegunLine, bytes: Uint8Array): void => {
  if (bytes.length === 0) return;
  line.parts.push(bytes);
  line.length += bytes.length;
};

const taken = (line: BegunLine): OutputLine => {
  const { worker, stream, parts } = line;
  const [first] = parts;
  const bytes =
    parts.length === 1 && first !== undefined
      ? Buffer.from(first.buffer, first.byteOffset, first.byteLength)
      : Buffer.concat(parts);
  line.parts = [];
  line.length = 0;
  return { worker, stream, bytes };
};
