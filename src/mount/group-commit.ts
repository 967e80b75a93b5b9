import { Gathered } from '../kit/gathered.ts';
import { type MessageSpool, messageOverheadBytes, type NewMessage } from './delivery-ports.ts';
import { FsError } from './errno.ts';

/** Dead letters give up this part of all space at once: to find the oldest of them costs as much as there are. */
const partGivenUp = 1 / 16;

/**
 * Puts what several writers have written at about the same time on disk with one `fsync`. All of it waits until the
 * event loop has heard everybody who was ready; nobody waits for a timer. What waits and what is dead share the space
 * there is: dead letters go when somebody needs theirs.
 */
export class GroupCommit {
  readonly #spool: MessageSpool;
  readonly #maxBytes: number;
  readonly #gathered: Gathered<readonly NewMessage[]>;
  readonly #onForgotten: (deadLetters: number) => void;
  #waitingBytes: number;
  /** At most: those that were forgotten or wait again may be in it still. */
  #deadBytes: number;

  /** `onForgotten` hears how many dead letters had to make space. Throws `journal-failed`. */
  constructor(spool: MessageSpool, maxBytes: number, onForgotten: (deadLetters: number) => void) {
    this.#spool = spool;
    this.#maxBytes = maxBytes;
    this.#onForgotten = onForgotten;
    this.#gathered = new Gathered((all) => {
      this.#freeSpace();
      spool.add(all.flat());
    });
    this.#waitingBytes = spool.bytes('waiting');
    this.#deadBytes = spool.bytes('dead');
  }

  /** Resolves when they are on disk. Throws ENOSPC where too much waits already. */
  async add(messages: readonly NewMessage[]): Promise<void> {
    const bytes = messages.reduce((sum, { payload }) => sum + spaceOf(payload.length), 0);
    if (this.#waitingBytes + bytes > this.#maxBytes)
      throw new FsError('ENOSPC', `${this.#waitingBytes} bytes wait to be delivered`);
    this.#waitingBytes += bytes;
    try {
      await this.#gathered.add(messages);
    } catch (error) {
      this.#waitingBytes -= bytes;
      throw error;
    }
  }

  /** A message of so many bytes is off the disk. */
  delivered(length: number): void {
    this.#waitingBytes -= spaceOf(length);
  }

  /** A message of so many bytes is a dead letter. */
  buried(length: number): void {
    this.#waitingBytes -= spaceOf(length);
    this.#deadBytes += spaceOf(length);
  }

  /** Dead letters that take so many bytes wait again. */
  revived(bytes: number): void {
    this.#waitingBytes += bytes;
  }

  #freeSpace(): void {
    const space = this.#maxBytes - this.#waitingBytes;
    if (this.#deadBytes <= space) return;
    const forgotten = this.#spool.purgeOldest(Math.max(0, space - this.#maxBytes * partGivenUp));
    this.#deadBytes = this.#spool.bytes('dead');
    if (forgotten > 0) this.#onForgotten(forgotten);
  }
}

const spaceOf = (length: number): number => length + messageOverheadBytes;
