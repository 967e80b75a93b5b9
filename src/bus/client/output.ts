import type { RequestLeg } from './outcome.ts';

/** What a worker's job wrote, as it came. */
export interface OutputChunk {
  readonly worker: string;
  readonly stream: 'out' | 'err';
  readonly bytes: Buffer;
}

type Part = OutputChunk | RequestLeg;

/**
 * The output of one request, between the bus and one reader. A chunk is dealt with when the reader asks for the next one
 * (or stops): what is not dealt with is not acknowledged, and so the workers stop sending before it fills our memory.
 */
export class RequestOutput implements AsyncIterable<OutputChunk> {
  readonly #dealtWith: (chunk: OutputChunk) => void;
  #waiting: Part[] = [];
  /** The next one of them. */
  #at = 0;
  #end: { readonly error: Error | undefined } | undefined;
  #isDiscarded: boolean;
  #isTaken = false;
  #wake: () => void = () => undefined;

  constructor(dealtWith: (chunk: OutputChunk) => void, isDiscarded: boolean) {
    this.#dealtWith = dealtWith;
    this.#isDiscarded = isDiscarded;
  }

  put(chunk: OutputChunk): void {
    if (this.#isDiscarded) this.#dealtWith(chunk);
    else this.#waiting.push(chunk);
    this.#wake();
  }

  /** Behind all that this worker has written. */
  legEnded(leg: RequestLeg): void {
    if (this.#isDiscarded) return;
    this.#waiting.push(leg);
    this.#wake();
  }

  /** What waits is still read; then the reader hears the error, if there is one. */
  close(error?: Error): void {
    this.#end ??= { error };
    this.#wake();
  }

  /** Somebody reads it. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** Nobody wants to read (on). */
  discard(): void {
    this.#isDiscarded = true;
    for (let part = this.#next(); part !== undefined; part = this.#next()) if (isChunk(part)) this.#dealtWith(part);
  }

  [Symbol.asyncIterator](): AsyncGenerator<OutputChunk, void, undefined> {
    return this.#read(isChunk);
  }

  /** The output, and how each worker's part ended, behind its output. In the place of the output alone. */
  parts(): AsyncGenerator<Part, void, undefined> {
    return this.#read(isPart);
  }

  async *#read<Wanted extends Part>(isWanted: (part: Part) => part is Wanted): AsyncGenerator<Wanted, void, undefined> {
    if (this.#isTaken) throw new Error('the output of a request can be read only once');
    this.#isTaken = true;
    try {
      for (;;) {
        const part = this.#next();
        if (part !== undefined) {
          if (isWanted(part)) yield* this.#handOver(part);
        } else if (this.#end !== undefined) break;
        else await this.#more();
      }
      if (this.#end.error !== undefined) throw this.#end.error;
    } finally {
      this.discard();
    }
  }

  /** Dealt with also when the reader stops at this one. */
  *#handOver<Taken extends Part>(part: Taken): Generator<Taken, void, undefined> {
    try {
      yield part;
    } finally {
      if (isChunk(part)) this.#dealtWith(part);
    }
  }

  /** `shift` would move all that waits, each time. */
  #next(): Part | undefined {
    const part = this.#waiting[this.#at];
    this.#at += 1;
    if (part !== undefined) return part;
    this.#waiting = [];
    this.#at = 0;
    return undefined;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

export const isChunk = (part: Part): part is OutputChunk => 'bytes' in part;

const isPart = (part: Part): part is Part => part !== undefined;
