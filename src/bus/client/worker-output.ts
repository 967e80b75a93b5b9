import { outputWindowBytes } from '../messages.ts';

/** Acknowledged in quarters of the window, so that a steady reader never makes a worker wait. */
const ackEveryBytes = outputWindowBytes / 4;

/**
 * How far the output of one worker is, in bytes from its first on. A request that was resumed hears it from the first byte
 * again: what is known is left out, so that the reader sees neither a repeat nor a gap.
 */
export class WorkerOutput {
  /** The connection that it is heard through; a new one begins at 0. */
  #epoch: number;
  #received = 0;
  #dealtWith = 0;
  #arrived = 0;
  #acked = 0;

  constructor(epoch: number) {
    this.#epoch = epoch;
  }

  /** The job begins (again): on a connection that heard of it before, its output begins anew. */
  dispatched(epoch: number): void {
    if (epoch === this.#epoch) {
      this.#received = 0;
      this.#dealtWith = 0;
    }
    this.#turnTo(epoch);
    this.#arrived = 0;
    this.#acked = 0;
  }

  /** What is new of it; undefined where there is a gap before it. */
  take(epoch: number, offset: number, bytes: Buffer): Buffer | undefined {
    this.#turnTo(epoch);
    if (offset > this.#received) return undefined;
    this.#arrived = Math.max(this.#arrived, offset + bytes.length);
    const known = Math.min(bytes.length, this.#received - offset);
    this.#received += bytes.length - known;
    return bytes.subarray(known);
  }

  dealWith(bytes: number): void {
    this.#dealtWith += bytes;
  }

  /** What to acknowledge now, in all; undefined: nothing yet. Never more than this connection has brought. */
  dueAck(): number | undefined {
    const dealtWith = Math.min(this.#dealtWith, this.#arrived);
    if (dealtWith - this.#acked < ackEveryBytes) return undefined;
    this.#acked = dealtWith;
    return dealtWith;
  }

  #turnTo(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#arrived = 0;
    this.#acked = 0;
  }
}
