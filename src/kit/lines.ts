import type { Readable } from 'node:stream';

/** Cuts text that comes in pieces into lines. Cheaper for each than node:readline. */
export class Lines {
  readonly #longest: number;
  #begun = '';

  /** Of each line at most `longest` characters are kept. */
  constructor(longest = Number.POSITIVE_INFINITY) {
    this.#longest = longest;
  }

  /** The line that has no newline yet. */
  get begun(): string {
    return this.#begun;
  }

  /** The lines that this piece ends, without their newlines. */
  take(piece: string): string[] {
    const lines = piece.split('\n');
    lines[0] = this.#begun + lines[0];
    const cut = Number.isFinite(this.#longest) ? lines.map((line) => line.slice(0, this.#longest)) : lines;
    this.#begun = cut.pop() ?? '';
    return cut;
  }
}

/** Calls back for every whole line. */
export const onLines = (stream: Readable, onLine: (line: string) => void): void => {
  const lines = new Lines();
  stream.setEncoding('utf8').on('data', (piece: string) => {
    for (const line of lines.take(piece)) onLine(line);
  });
};
