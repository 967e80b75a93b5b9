import { mkdirSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { historyTailBytes, maxPartialBytes } from '../../bus/messages.ts';
import { Lines } from '../../kit/lines.ts';
import { watchFolder } from '../../kit/watch-folder.ts';
import type { OutputReader, OutputReading, OutputSink, OutputSummary } from '../../queue/ports/output-reader.ts';
import { openIfThere } from './untrusted-file.ts';

/** How often the index is looked at, above all where the kernel has no watch left for us. */
const lookTimes = { everyMs: 10_000, unwatchedMs: 250 };
const indexBlockBytes = 16_384;

/**
 * Reads `output` by its index `output.idx`, which says which bytes came from which stream: what is not indexed yet is not
 * given yet, and the index is a moment behind at most. What triggerd itself wrote there goes to `err`.
 */
export const createOutputReader = (): OutputReader => ({
  read: (folder, isEnded, sink, from = 0) => new FileReading(folder, isEnded, sink, from),
});

class FileReading implements OutputReading {
  readonly #folder: string;
  readonly #sink: OutputSink;
  readonly #unwatch: () => void;
  #index: FileHandle | undefined;
  #output: FileHandle | undefined;
  #indexAt = 0;
  #outputAt = 0;
  /** Up to here it is only counted. */
  readonly #from: number;
  readonly #lines = new Lines();
  #tail: Buffer = Buffer.alloc(0);
  #pumping: Promise<void> | undefined;
  #hasNews = false;
  #isStopped = false;
  #failure: unknown;

  constructor(folder: string, isEnded: boolean, sink: OutputSink, from: number) {
    this.#folder = folder;
    this.#sink = sink;
    this.#from = from;
    this.#unwatch = isEnded ? () => undefined : watchIndex(folder, () => this.#look());
    this.#look();
  }

  async finish(): Promise<OutputSummary> {
    this.#unwatch();
    this.#look();
    await this.#pumping;
    await this.#closeFiles();
    if (this.#failure !== undefined) throw this.#failure;
    return { bytes: this.#outputAt, tail: this.#tail };
  }

  stop(): void {
    this.#isStopped = true;
    this.#unwatch();
    if (this.#pumping === undefined) void this.#closeFiles();
  }

  /** One look at a time; what happens during one is seen by the next. */
  #look(): void {
    this.#hasNews = true;
    this.#pumping ??= this.#pump();
  }

  async #pump(): Promise<void> {
    // Whoever keeps this promise has it before it settles.
    await Promise.resolve();
    try {
      while (this.#hasNews && this.#isGoing()) {
        this.#hasNews = false;
        await this.#giveIndexed();
      }
    } catch (thrown) {
      this.#failure = thrown;
    } finally {
      this.#pumping = undefined;
      if (this.#isStopped) await this.#closeFiles();
    }
  }

  #isGoing(): boolean {
    return !this.#isStopped && this.#failure === undefined;
  }

  async #giveIndexed(): Promise<void> {
    this.#index ??= await openIfThere(join(this.#folder, 'output.idx'));
    this.#output ??= await openIfThere(join(this.#folder, 'output'));
    if (this.#index === undefined || this.#output === undefined) return;
    const block = Buffer.allocUnsafe(indexBlockBytes);
    for (;;) {
      const { bytesRead } = await this.#index.read(block, 0, block.length, this.#indexAt);
      if (bytesRead === 0) return;
      this.#indexAt += bytesRead;
      const lines = this.#lines.take(block.toString('latin1', 0, bytesRead));
      for (const line of lines) await this.#give(this.#output, line);
    }
  }

  /** `<ms> <o|e|t> <length>` */
  async #give(output: FileHandle, line: string): Promise<void> {
    const [, tag, length = '0'] = line.split(' ');
    const stream = tag === 'o' ? 'out' : 'err';
    for (let left = Number(length); left > 0 && this.#isGoing(); ) {
      const wanted = Math.min(left, maxPartialBytes);
      const { buffer, bytesRead } = await output.read(Buffer.allocUnsafe(wanted), 0, wanted, this.#outputAt);
      if (bytesRead === 0) return;
      const bytes = buffer.subarray(0, bytesRead);
      this.#outputAt += bytesRead;
      left -= bytesRead;
      this.#tail = lastBytes(this.#tail, bytes);
      const unknown = bytes.subarray(Math.max(0, bytes.length - (this.#outputAt - this.#from)));
      if (this.#outputAt > this.#from) await this.#sink({ stream, bytes: unknown });
    }
  }

  async #closeFiles(): Promise<void> {
    const files = [this.#index, this.#output];
    this.#index = undefined;
    this.#output = undefined;
    for (const file of files) await file?.close();
  }
}

const lastBytes = (before: Buffer, more: Buffer): Buffer =>
  more.length >= historyTailBytes
    ? Buffer.from(more.subarray(-historyTailBytes))
    : Buffer.concat([before, more]).subarray(-historyTailBytes);

/** The folder may not be there yet: whoever prepares it for the job keeps it. */
const watchIndex = (folder: string, onChange: () => void): (() => void) => {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch {
    // Then it cannot be watched, either.
  }
  return watchFolder(folder, (name) => (name === null || name === 'output.idx') && onChange(), lookTimes);
};
