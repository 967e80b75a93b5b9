/** From here on a piece is kept as it is. */
const largeBytes = 4_096;
const nothing = Buffer.alloc(0);

/** Bytes that come in pieces, without an object for each small one and without a copy of each large one. */
export class GrowingBuffer {
  #parts: Buffer[] = [];
  /** Small pieces since the last large one. */
  #room = nothing;
  #used = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** `bytes` are not changed by anybody any more. */
  append(bytes: Buffer): void {
    this.#length += bytes.length;
    if (bytes.length < largeBytes) {
      this.#copy(bytes);
      return;
    }
    this.#parts.push(this.#small(), bytes);
    this.#room = nothing;
    this.#used = 0;
  }

  /** All of it with these bytes behind it; a copy, unless it is just these. */
  with(bytes: Buffer): Buffer {
    return this.#length === 0 ? bytes : Buffer.concat([...this.#parts, this.#small(), bytes]);
  }

  clear(): void {
    this.#parts = [];
    this.#room = nothing;
    this.#used = 0;
    this.#length = 0;
  }

  #small(): Buffer {
    return this.#room.subarray(0, this.#used);
  }

  #copy(bytes: Buffer): void {
    const used = this.#used + bytes.length;
    if (used > this.#room.length) {
      const room = Buffer.allocUnsafe(Math.max(used, 2 * this.#room.length));
      this.#room.copy(room, 0, 0, this.#used);
      this.#room = room;
    }
    bytes.copy(this.#room, this.#used);
    this.#used = used;
  }
}
