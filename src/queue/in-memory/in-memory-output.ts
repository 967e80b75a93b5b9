import type { Log } from '../../kit/log.ts';
import type { RecordedOutput } from '../ports/journal.ts';
import type { OutputPiece, OutputReader, OutputReading, OutputSink, OutputSummary } from '../ports/output-reader.ts';

/** Opens the files of a job's output; the folder is made. Throws what the disk refuses. */
export type OpenOutput = (folder: string, maxBytes: number) => SpilledOutput;

export interface SpilledOutput {
  write(stream: 'out' | 'err', bytes: Buffer): void;
  /** No more comes: what was held back of a large output is written. */
  close(): void;
}

export interface InMemoryOutputOptions {
  readonly openOutput: OpenOutput;
  readonly reader: OutputReader;
  readonly log: Log;
}

/** More than this goes to the files that any other job has. */
const maxInMemory = 65_536;
const maxPieces = 1_024;
/** What a listener gets at once. */
const maxPiece = 65_536;
const tailBytes = 1_024;

/** The output of one job that runs in memory. All of it is there for every reader, however late. */
export class InMemoryOutput {
  readonly #options: InMemoryOutputOptions;
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly pieces: OutputPiece[] = [];
  bytes = 0;
  #spilled: SpilledOutput | undefined;
  #lost = 0;
  #readers: (() => void)[] = [];

  constructor(options: InMemoryOutputOptions, folder: string, maxBytes: number) {
    this.#options = options;
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  get isSpilled(): boolean {
    return this.#spilled !== undefined;
  }

  write(stream: 'out' | 'err', bytes: Buffer): void {
    if (this.#spilled !== undefined) this.#spilled.write(stream, bytes);
    else if (this.#lost > 0) this.#lost += bytes.length;
    else if (this.#isTooMuch(bytes)) this.#spill(stream, bytes);
    else this.#keep(stream, bytes);
    for (const look of this.#readers) look();
  }

  close(): void {
    if (this.#lost > 0) this.#keep('err', Buffer.from(`\n[triggerd: ${this.#lost} bytes left out]\n`));
    this.#spilled?.close();
    // Whoever reads looks by itself once more; many such jobs wait for the journal, and are to be small.
    this.#readers = [];
  }

  /** What the journal keeps; null: it is in the files. */
  recorded(): RecordedOutput | null {
    if (this.isSpilled) return null;
    const [only, ...others] = this.pieces;
    const bytes = others.length === 0 ? (only?.bytes ?? none) : Buffer.concat(this.pieces.map((piece) => piece.bytes));
    return { bytes, index: this.pieces.map((piece) => [piece.stream, piece.bytes.length] as const) };
  }

  /** As `OutputReader.read` does. */
  read(sink: OutputSink): OutputReading {
    const files = (isEnded: boolean) =>
      this.isSpilled ? this.#options.reader.read(this.#folder, isEnded, sink, this.bytes) : undefined;
    const reading = new PiecesReading(this.pieces, sink, files);
    this.#readers.push(reading.look);
    return reading;
  }

  #isTooMuch({ length }: Buffer): boolean {
    return this.bytes + length > Math.min(maxInMemory, this.#maxBytes) || this.pieces.length >= maxPieces;
  }

  #keep(stream: 'out' | 'err', bytes: Buffer): void {
    this.pieces.push({ stream, bytes });
    this.bytes += bytes.length;
  }

  /** What is in memory stays there for those who read it; the files have all of it. */
  #spill(stream: 'out' | 'err', bytes: Buffer): void {
    try {
      this.#spilled = this.#options.openOutput(this.#folder, this.#maxBytes);
      for (const piece of this.pieces) this.#spilled.write(piece.stream, piece.bytes);
      this.#spilled.write(stream, bytes);
    } catch (thrown) {
      this.#options.log.error({ error: thrown, folder: this.#folder }, 'Cannot store the output of a request');
      this.#lost = bytes.length;
    }
  }
}

/** What was recorded with a job that has ended. */
export const readRecorded = ({ bytes, index }: RecordedOutput, sink: OutputSink): OutputReading => {
  let at = 0;
  const pieces = index.map(([stream, length]): OutputPiece => {
    at += length;
    return { stream, bytes: bytes.subarray(at - length, at) };
  });
  return new PiecesReading(pieces, sink, () => undefined);
};

const none = Buffer.alloc(0);

/** Gives pieces as they are added, and then what the files have beyond them. */
class PiecesReading implements OutputReading {
  readonly #pieces: readonly OutputPiece[];
  readonly #sink: OutputSink;
  readonly #openFiles: (isEnded: boolean) => OutputReading | undefined;
  #at = 0;
  #pumping: Promise<void> | undefined;
  #files: OutputReading | undefined;
  #isStopped = false;
  #isFinishing = false;
  #failure: unknown;

  constructor(
    pieces: readonly OutputPiece[],
    sink: OutputSink,
    openFiles: (isEnded: boolean) => OutputReading | undefined,
  ) {
    this.#pieces = pieces;
    this.#sink = sink;
    this.#openFiles = openFiles;
    queueMicrotask(this.look);
  }

  /** To be called when there is more. */
  readonly look = (): void => {
    if (this.#isStopped || this.#isFinishing || this.#files !== undefined) return;
    this.#pumping ??= this.#pump(false);
  };

  async finish(): Promise<OutputSummary> {
    // From here on it pumps by itself: two pumps would give pieces twice.
    this.#isFinishing = true;
    while (this.#pumping !== undefined) await this.#pumping;
    await this.#pump(true);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#files !== undefined) return this.#files.finish();
    return summaryOf(this.#pieces);
  }

  stop(): void {
    this.#isStopped = true;
    this.#files?.stop();
  }

  async #pump(isEnded: boolean): Promise<void> {
    // Whoever keeps this promise has it before it settles.
    await Promise.resolve();
    try {
      for (; this.#at < this.#pieces.length && !this.#isStopped; this.#at += 1)
        await this.#give(this.#pieces[this.#at]);
      if (!this.#isStopped) this.#files ??= this.#openFiles(isEnded);
    } catch (thrown) {
      this.#failure = thrown;
      this.#isStopped = true;
    } finally {
      this.#pumping = undefined;
    }
  }

  async #give(piece: OutputPiece | undefined): Promise<void> {
    if (piece === undefined) return;
    const { stream, bytes } = piece;
    for (let from = 0; from < bytes.length && !this.#isStopped; from += maxPiece)
      await this.#sink({ stream, bytes: bytes.subarray(from, from + maxPiece) });
  }
}

const summaryOf = (pieces: readonly OutputPiece[]): OutputSummary => {
  let bytes = 0;
  for (const piece of pieces) bytes += piece.bytes.length;
  const last: Buffer[] = [];
  for (let index = pieces.length - 1, held = 0; index >= 0 && held < tailBytes; index -= 1) {
    const piece = pieces[index]?.bytes ?? none;
    last.unshift(piece);
    held += piece.length;
  }
  const [only, ...others] = last;
  const joined = others.length === 0 ? (only ?? none) : Buffer.concat(last);
  return { bytes, tail: joined.subarray(-tailBytes) };
};
