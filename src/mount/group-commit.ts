import type { MessageSpool, NewMessage } from './delivery-ports.ts';
import { FsError } from './errno.ts';

interface Entry {
  readonly messages: readonly NewMessage[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Puts what several writers have written at about the same time on disk with one `fsync`. All of it waits until the
 * event loop has heard everybody who was ready; nobody waits for a timer.
 */
export class GroupCommit {
  readonly #spool: MessageSpool;
  readonly #maxBytes: number;
  #entries: Entry[] = [];
  #bytes: number;

  /** Throws `journal-failed`. */
  constructor(spool: MessageSpool, maxBytes: number) {
    this.#spool = spool;
    this.#maxBytes = maxBytes;
    this.#bytes = spool.bytes();
  }

  /** Resolves when they are on disk. Throws ENOSPC where too much waits already. */
  add(messages: readonly NewMessage[]): Promise<void> {
    const bytes = messages.reduce((sum, { payload }) => sum + payload.length, 0);
    if (this.#bytes + bytes > this.#maxBytes)
      return Promise.reject(new FsError('ENOSPC', `${this.#bytes} bytes wait to be delivered`));
    this.#bytes += bytes;
    return new Promise((resolve, reject) => {
      if (this.#entries.length === 0) setImmediate(() => this.#commit());
      this.#entries.push({
        messages,
        resolve,
        reject: (error) => {
          this.#bytes -= bytes;
          reject(error);
        },
      });
    });
  }

  /** So many bytes wait that nobody has added here. */
  take(bytes: number): void {
    this.#bytes += bytes;
  }

  /** So many bytes wait no longer. */
  release(bytes: number): void {
    this.#bytes -= bytes;
  }

  #commit(): void {
    const entries = this.#entries;
    this.#entries = [];
    try {
      this.#spool.add(entries.flatMap(({ messages }) => messages));
    } catch (error) {
      for (const { reject } of entries) reject(error);
      return;
    }
    for (const { resolve } of entries) resolve();
  }
}
