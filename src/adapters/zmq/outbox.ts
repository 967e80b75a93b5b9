import type { Dealer, Reply, Router } from 'zeromq';
import { maxBatch, type Outgoing, pack } from '../../bus/codec/pack.ts';

/** Bytes of one frame, about: beyond it the sending of small messages together gains nothing. */
const maxBatchBytes = 262_144;

/** What waits for one peer, in order. */
export class Outbox {
  #messages: Outgoing[] = [];
  #sent = 0;
  #bytes = 0;

  /** Bytes that wait. Headers count by their characters. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#sent === this.#messages.length;
  }

  add(head: string, body: Buffer): void {
    this.#messages.push({ head, body });
    this.#bytes += head.length + body.length;
  }

  /** As many messages as go together, as one frame. They wait until `sent`. */
  next(): { readonly frame: Buffer; readonly count: number } {
    const limit = Math.min(this.#messages.length, this.#sent + maxBatch);
    let end = this.#sent;
    for (let bytes = 0; end < limit && bytes < maxBatchBytes; end++) bytes += this.#sizeAt(end);
    return { frame: pack(this.#messages.slice(this.#sent, end)), count: end - this.#sent };
  }

  /** Takes off what has gone. */
  sent(count: number): void {
    const end = this.#sent + count;
    for (let at = this.#sent; at < end; at++) this.#bytes -= this.#sizeAt(at);
    this.#sent = end;
    if (!this.isEmpty && this.#sent < 512) return;
    this.#messages = this.isEmpty ? [] : this.#messages.slice(this.#sent);
    this.#sent = 0;
  }

  #sizeAt(at: number): number {
    const message = this.#messages[at];
    return message === undefined ? 0 : message.head.length + message.body.length;
  }
}

/** After so long without a pause, other work of the process gets its turn. ms. */
const maxStretchMs = 20;

/**
 * Gives every multipart of a socket to `onFrames`, until the socket is closed. libzmq answers reads at once while it has
 * something, so that a busy socket would keep timers and other sockets waiting: hence the pauses.
 */
export const receiveLoop = async (
  socket: Dealer | Reply | Router,
  onFrames: (frames: Buffer[]) => void | Promise<void>,
): Promise<void> => {
  let pausedAt = performance.now();
  while (!socket.closed) {
    const frames = await receive(socket);
    if (frames === undefined) return;
    await onFrames(frames);
    const now = performance.now();
    if (now - pausedAt < maxStretchMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    pausedAt = performance.now();
  }
};

const receive = async (socket: Dealer | Reply | Router): Promise<Buffer[] | undefined> => {
  try {
    return await socket.receive();
  } catch (error) {
    if (socket.closed) return undefined;
    throw error;
  }
};
