import { maxBatch } from '../../bus/codec/parse.ts';

/** Bytes of one multipart, about: beyond it the sending of small messages together gains nothing. */
const maxBatchBytes = 262_144;

type Frame = string | Buffer;

/** What waits for one peer, in order, as frames in turn: header, body, header, body, … */
export class Outbox {
  #frames: Frame[] = [];
  #sent = 0;
  #bytes = 0;

  /** Bytes that wait. Headers count by their characters. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#sent === this.#frames.length;
  }

  add(head: string, body: Buffer): void {
    this.#frames.push(head, body);
    this.#bytes += head.length + body.length;
  }

  /** The next multipart: `first` (a routing id, or nothing) and as many messages as go together. They wait until `sent`. */
  next(first: readonly Buffer[]): Frame[] {
    const batch: Frame[] = [...first];
    let bytes = 0;
    const end = Math.min(this.#frames.length, this.#sent + maxBatch * 2);
    for (let at = this.#sent; at < end && bytes < maxBatchBytes; at += 2) {
      const head = this.#frames[at] as Frame;
      const body = this.#frames[at + 1] as Frame;
      bytes += head.length + body.length;
      batch.push(head, body);
    }
    return batch;
  }

  /** Takes off as many frames as the multipart had, without its `first`. */
  sent(frames: number): void {
    const end = this.#sent + frames;
    for (let at = this.#sent; at < end; at++) this.#bytes -= (this.#frames[at] as Frame).length;
    this.#sent = end;
    if (!this.isEmpty && this.#sent < 1_024) return;
    this.#frames = this.isEmpty ? [] : this.#frames.slice(this.#sent);
    this.#sent = 0;
  }
}
