import type { AssemblyStep, MessageMaker } from './assembler.ts';
import { FsError } from './errno.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { WritePiece } from './ports.ts';

const nothing = Buffer.alloc(0);
/** More than a file of this size has holes; where there are more, all between the first and the last count as one. */
const maxGaps = 1_000;

interface Gap {
  readonly from: number;
  readonly to: number;
}

export interface DocumentOptions {
  /** Bytes at most, holes included. */
  readonly maxMessage: number;
  readonly budget: MemoryBudget;
  /** `O_APPEND`: what the kernel gives as position then comes from the size of the last answer, and means nothing. */
  readonly isAppending: boolean;
  /** `O_TRUNC`. */
  readonly isTruncated: boolean;
  /** Bytes that a writer would believe to be there already: those of the last answer. */
  readonly lastSize: () => number;
}

/**
 * Framing `close`: what is written through one open file up to `end` is one document, as a file on disk would have it.
 * Positions count, what is skipped is zeros, and what was written can be written again or cut off.
 *
 * A program that opens the file without emptying it may skip bytes that it has read there (`rsync --no-whole-file`): they
 * are those of the last answer, which are no part of a document, so such a document is refused. Anything that is refused
 * is refused for good: nothing more of this handle is sent, and everybody who closes it hears so.
 */
export class Document implements MessageMaker {
  readonly #options: DocumentOptions;
  /** Zeros behind `#length`. */
  #room = nothing;
  #length = 0;
  /** Where this document begins: behind the one that an earlier `close(2)` of a duplicate has ended. */
  #base = 0;
  /** Positions in the file that nothing was written to, in ascending order. */
  #gaps: Gap[] = [];
  #isTruncated: boolean;
  #lastSize: number;
  #refusal: FsError | undefined;

  constructor(options: DocumentOptions) {
    this.#options = options;
    this.#isTruncated = options.isTruncated;
    this.#lastSize = options.lastSize();
  }

  get isBegun(): boolean {
    return this.#base + this.#length > 0 || this.#refusal !== undefined;
  }

  get isEmpty(): boolean {
    return this.#length === 0 && this.#refusal === undefined;
  }

  /** Throws EFBIG, ENOSPC, ESPIPE; from then on always the same. */
  add({ bytes, offset }: WritePiece): AssemblyStep {
    return this.#orRefused(() => {
      const at = this.#placeOf(offset);
      this.#assertSpace(at + bytes.length);
      return {
        messages: [],
        commit: () => {
          this.#extend(Math.max(this.#length, at + bytes.length));
          bytes.copy(this.#room, at);
          this.#fill({ from: this.#base + at, to: this.#base + at + bytes.length });
        },
      };
    });
  }

  /** `ftruncate(2)` through this handle. Throws as `add` does. */
  resize(size: number): void {
    this.#orRefused(() => {
      if (size === 0) this.#isTruncated = true;
      if (size < this.#base && size !== 0) throw new FsError('ESPIPE', 'that part of the file has been sent');
      const length = Math.max(0, size - this.#base);
      if (length > this.#length) this.#assertSpace(length);
      this.#extend(length);
    });
  }

  /** Throws what was refused, and ESPIPE where bytes of the last answer were to stay. */
  end(): AssemblyStep {
    return this.#orRefused(() => {
      this.#look();
      if (!this.#isTruncated && this.#gaps.some(({ from }) => from < this.#lastSize))
        throw new FsError('ESPIPE', 'bytes of the last answer were skipped, and are no part of a document');
      const messages = this.#length > 0 ? [this.#room.subarray(0, this.#length)] : [];
      return {
        messages,
        commit: () => {
          const end = this.#base + this.#length;
          this.drop();
          this.#base = end;
        },
      };
    });
  }

  /** What there is was not meant to be sent. */
  refuse(refusal: FsError): void {
    this.#refusal ??= refusal;
    this.drop();
  }

  drop(): void {
    this.#options.budget.give(this.#length);
    this.#room = nothing;
    this.#length = 0;
    this.#gaps = [];
  }

  /** Within the document. A document that follows another one may begin where that one ended, or at 0. */
  #placeOf(offset: number): number {
    if (this.#options.isAppending) return this.#length;
    if (this.#length === 0 && offset === 0) this.#base = 0;
    if (offset < this.#base) throw new FsError('ESPIPE', 'that part of the file has been sent');
    return offset - this.#base;
  }

  #assertSpace(length: number): void {
    const { maxMessage, budget } = this.#options;
    if (length > maxMessage) throw new FsError('EFBIG', `a message of this trigger has at most ${maxMessage} bytes`);
    if (length > this.#length) budget.assertSpace(length - this.#length);
  }

  /** To this length: what is new is a gap of zeros, what is too much is gone. */
  #extend(length: number): void {
    this.#look();
    const { budget, maxMessage } = this.#options;
    const [from, to] = [this.#base + this.#length, this.#base + length];
    if (length > this.#room.length) {
      const room = Buffer.alloc(Math.min(maxMessage, Math.max(length, 2 * this.#room.length)));
      this.#room.copy(room, 0, 0, this.#length);
      this.#room = room;
    }
    if (length < this.#length) {
      this.#room.fill(0, length, this.#length);
      this.#gaps = this.#gaps.flatMap((gap) => (gap.from < to ? [{ from: gap.from, to: Math.min(gap.to, to) }] : []));
      budget.give(this.#length - length);
    } else {
      if (length > this.#length) this.#gaps.push({ from, to });
      budget.take(length - this.#length);
    }
    this.#length = length;
  }

  /** Something was written there. */
  #fill({ from, to }: Gap): void {
    this.#gaps = this.#gaps.flatMap((gap) =>
      [
        { from: gap.from, to: Math.min(gap.to, from) },
        { from: Math.max(gap.from, to), to: gap.to },
      ].filter((rest) => rest.from < rest.to),
    );
    if (this.#gaps.length > maxGaps) this.#gaps = [{ from: this.#gaps[0]?.from ?? 0, to: this.#base + this.#length }];
  }

  /** The largest answer that its writer may have seen. */
  #look(): void {
    this.#lastSize = Math.max(this.#lastSize, this.#options.lastSize());
  }

  #orRefused<T>(work: () => T): T {
    if (this.#refusal !== undefined) throw this.#refusal;
    try {
      return work();
    } catch (thrown) {
      if (thrown instanceof FsError) this.refuse(thrown);
      throw thrown;
    }
  }
}
