import type { OutputLine } from '../../bus/client/lines.ts';

/** Of all workers together. The memory of a line is counted, too. */
const mostBytes = 64 * 1_048_576;
const mostBytesOfOne = 1_048_576;
const bytesBesideLine = 128;

interface Held {
  lines: OutputLine[];
  bytes: number;
  leftOut: number;
}

export interface Taken {
  readonly lines: readonly OutputLine[];
  /** How many lines there were before these. */
  readonly leftOut: number;
}

/** Output of workers until it is known whether it is shown: of each the newest MiB, or less where there are many. */
export class HeldOutput {
  readonly #held = new Map<string, Held>();
  readonly #mostOfOne: number;

  /** `workers`: how many there are in all. */
  constructor(workers: number) {
    this.#mostOfOne = Math.min(mostBytesOfOne, mostBytes / Math.max(1, workers));
  }

  add(line: OutputLine): void {
    const held = this.#held.get(line.worker) ?? { lines: [], bytes: 0, leftOut: 0 };
    this.#held.set(line.worker, held);
    held.lines.push(line);
    held.bytes += sizeOf(line);
    if (held.bytes > this.#mostOfOne) halve(held, this.#mostOfOne / 2);
  }

  /** Forgets it with that. */
  take(worker: string): Taken {
    const { lines, leftOut } = this.#held.get(worker) ?? { lines: [], leftOut: 0 };
    this.#held.delete(worker);
    return { lines, leftOut };
  }

  workers(): readonly string[] {
    return [...this.#held.keys()];
  }
}

const sizeOf = ({ bytes }: OutputLine): number => bytes.length + bytesBesideLine;

/** The newest line stays, however long it is. */
const halve = (held: Held, most: number): void => {
  let dropped = 0;
  for (const line of held.lines.slice(0, -1)) {
    if (held.bytes <= most) break;
    held.bytes -= sizeOf(line);
    dropped += 1;
  }
  held.lines = held.lines.slice(dropped);
  held.leftOut += dropped;
};
