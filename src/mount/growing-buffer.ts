/** Bytes that come in small pieces, without an object for each of them. */
export class GrowingBuffer {
  #room = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (length > this.#room.length) {
      const room = Buffer.allocUnsafe(Math.max(length, 2 * this.#room.length));
      this.#room.copy(room, 0, 0, this.#length);
      this.#room = room;
    }
    bytes.copy(this.#room, this.#length);
    this.#length = length;
  }

  /** All of it with these bytes behind it; a copy, unless it is just these. */
  with(bytes: Buffer): Buffer {
    if (this.#length === 0) return bytes;
    return Buffer.concat([this.#room.subarray(0, this.#length), bytes]);
  }

  clear(): void {
    this.#room = Buffer.alloc(0);
    this.#length = 0;
  }
}
