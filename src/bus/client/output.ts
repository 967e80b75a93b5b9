/** What a worker's job wrote, as it came. */
export interface OutputChunk {
  readonly worker: string;
  readonly stream: 'out' | 'err';
  readonly bytes: Buffer;
}

/**
 * The output of one request, between the bus and one reader. A chunk is dealt with when the reader asks for the next one
 * (or stops): what is not dealt with is not acknowledged, and so the workers stop sending before it fills our memory.
 */
export class RequestOutput implements AsyncIterable<OutputChunk> {
  readonly #dealtWith: (chunk: OutputChunk) => void;
  #waiting: OutputChunk[] = [];
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

  /** What waits is still read; then the reader hears the error, if there is one. */
  close(error?: Error): void {
    this.#end ??= { error };
    this.#wake();
  }

  /** Nobody wants to read (on). */
  discard(): void {
    this.#isDiscarded = true;
    for (let chunk = this.#next(); chunk !== undefined; chunk = this.#next()) this.#dealtWith(chunk);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<OutputChunk, void, undefined> {
    if (this.#isTaken) throw new Error('the output of a request is read once');
    this.#isTaken = true;
    try {
      for (;;) {
        const chunk = this.#next();
        if (chunk !== undefined) yield* this.#handOver(chunk);
        else if (this.#end !== undefined) break;
        else await this.#more();
      }
      if (this.#end.error !== undefined) throw this.#end.error;
    } finally {
      this.discard();
    }
  }

  /** Dealt with also when the reader stops at this one. */
  *#handOver(chunk: OutputChunk): Generator<OutputChunk, void, undefined> {
    try {
      yield chunk;
    } finally {
      this.#dealtWith(chunk);
    }
  }

  /** `shift` would move all that waits, each time. */
  #next(): OutputChunk | undefined {
    const chunk = this.#waiting[this.#at];
    this.#at += 1;
    if (chunk !== undefined) return chunk;
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
