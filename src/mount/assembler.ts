import type { Framing } from '../registry/model.ts';
import { FsError } from './errno.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { WritePiece } from './ports.ts';

export type StreamFraming = Exclude<Framing, 'close'>;

const newline = 0x0a;
const nothing = Buffer.alloc(0);

/** What a piece would do. Nothing has happened before `commit`: a write that is refused leaves everything as it was. */
export interface AssemblyStep {
  /** Complete by this piece, in order. */
  readonly messages: readonly Buffer[];
  commit(): void;
}

/** Makes messages of what is written through one open file. */
export interface MessageMaker {
  /** Throws EFBIG, ENOSPC, ESPIPE. */
  add(piece: WritePiece): AssemblyStep;
  /** What is left, as a message; forgotten when committed. */
  end(): AssemblyStep;
  /** Nothing waits for `end`. */
  readonly isEmpty: boolean;
  /** A writer has begun something. */
  readonly isBegun: boolean;
  /** What waits for `end` is not to be sent. */
  refuse(refusal: FsError): void;
  /** Gives the memory back. */
  drop(): void;
}

/**
 * For the framings that are a stream, where positions mean nothing:
 *
 * - `write`: each `write(2)` is one. Pieces of the full length are kept until a shorter one ends the call (or `end`): the
 *   kernel does not tell where a call ends, but its full pieces are of a length that no program's buffer is a multiple of.
 * - `line`: each line, its newline included; an unfinished one waits for its rest or for `end`.
 *
 * Messages keep every byte as it was written. One that is too long is refused whole (EFBIG) and forgotten. Where pieces of
 * the same call had been taken before, the kernel tells the writer only of those; it comes again with the rest, and then
 * hears EFBIG: `#owesRefusal`. Framing `close` is a `Document`.
 */
export class Assembler implements MessageMaker {
  readonly #framing: StreamFraming;
  readonly #maxMessage: number;
  readonly #budget: MemoryBudget;
  readonly #kept = new GrowingBuffer();
  #isWithinCall = false;
  #owesRefusal = false;
  #isBegun = false;

  constructor(framing: StreamFraming, maxMessage: number, budget: MemoryBudget) {
    this.#framing = framing;
    this.#maxMessage = maxMessage;
    this.#budget = budget;
  }

  get isEmpty(): boolean {
    return this.#kept.length === 0;
  }

  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** Throws EFBIG, ENOSPC. */
  add(piece: WritePiece): AssemblyStep {
    this.#isBegun = true;
    if (this.#owesRefusal) {
      this.#owesRefusal = false;
      throw this.#tooLong();
    }
    this.#budget.assertSpace(piece.bytes.length);
    const step = this.#framing === 'line' ? this.#lines(piece) : this.#whole(piece);
    return {
      messages: step.messages,
      commit: () => {
        this.#isWithinCall = piece.isFull;
        if (step.keep === 'as well') this.#keep(piece.bytes);
        else this.#replace(step.keep);
      },
    };
  }

  /** What is left, as a message; forgotten when committed. */
  end(): AssemblyStep {
    const messages = this.#kept.length > 0 ? [this.#kept.with(nothing)] : [];
    return {
      messages,
      commit: () => {
        this.#replace(nothing);
        this.#isWithinCall = false;
        this.#owesRefusal = false;
      },
    };
  }

  refuse(): void {
    this.#replace(nothing);
    this.#isWithinCall = false;
    this.#owesRefusal = false;
  }

  /** Gives the memory back. */
  drop(): void {
    this.#replace(nothing);
  }

  #whole({ bytes, isFull }: WritePiece): Step {
    const length = this.#kept.length + bytes.length;
    if (length > this.#maxMessage) throw this.#tooMuch();
    const isOver = this.#framing === 'write' && (!isFull || length === this.#maxMessage);
    return isOver ? { messages: [this.#kept.with(bytes)], keep: nothing } : { messages: [], keep: 'as well' };
  }

  #lines({ bytes }: WritePiece): Step {
    const messages: Buffer[] = [];
    let from = 0;
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, from)) {
      const line = bytes.subarray(from, at + 1);
      const message = messages.length === 0 ? this.#kept.with(line) : line;
      if (message.length > this.#maxMessage) throw this.#tooMuch();
      messages.push(message);
      from = at + 1;
    }
    const rest = bytes.subarray(from);
    const unfinished = messages.length === 0 ? this.#kept.length + rest.length : rest.length;
    if (unfinished > this.#maxMessage) throw this.#tooMuch();
    return messages.length === 0 ? { messages, keep: 'as well' } : { messages, keep: rest };
  }

  #keep(bytes: Buffer): void {
    this.#budget.take(bytes.length);
    this.#kept.append(bytes);
  }

  #replace(bytes: Buffer): void {
    if (this.#kept.length > 0) {
      this.#budget.give(this.#kept.length);
      this.#kept.clear();
    }
    if (bytes.length > 0) this.#keep(bytes);
  }

  #tooMuch(): FsError {
    this.#owesRefusal = this.#isWithinCall;
    this.#isWithinCall = false;
    this.#replace(nothing);
    return this.#tooLong();
  }

  #tooLong(): FsError {
    return new FsError('EFBIG', `a message of this trigger has at most ${this.#maxMessage} bytes`);
  }
}

interface Step {
  readonly messages: readonly Buffer[];
  /** What is kept afterwards; or the whole piece, besides what is kept already. */
  readonly keep: Buffer | 'as well';
}
