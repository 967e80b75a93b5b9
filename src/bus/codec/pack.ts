/**
 * Several messages as one frame: for each the lengths of header and body (32 bits, big-endian), the header, the body. What
 * ZeroMQ costs, it costs for each frame; so messages that go the same way at the same time share one.
 */
import type { Malformed } from './parse.ts';

/** Messages in one frame at most. */
export const maxBatch = 64;
const lengthsBytes = 8;

/** A message that waits to be packed. */
export interface Outgoing {
  readonly head: string;
  readonly body: Buffer;
}

/** One frame of these messages, in order. */
export const pack = (messages: readonly Outgoing[]): Buffer => {
  let size = 0;
  for (const { head, body } of messages) size += lengthsBytes + Buffer.byteLength(head) + body.length;
  const frame = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { head, body } of messages) {
    const headBytes = frame.write(head, at + lengthsBytes);
    frame.writeUInt32BE(headBytes, at);
    frame.writeUInt32BE(body.length, at + 4);
    at += lengthsBytes + headBytes;
    if (body.length > 0) at += body.copy(frame, at);
  }
  return frame;
};

/**
 * Takes a multipart from the wire apart: from its frame `first` on, which must be the last. Headers and bodies are views
 * of the frame. What is whole is given out, in order; what is wrong is told once, and ends it.
 */
export const eachMessage = (
  frames: readonly Buffer[],
  first: number,
  onMessage: (head: Buffer, body: Buffer) => void,
  onMalformed: (why: Malformed) => void,
): void => {
  const frame = frames[first];
  if (frame === undefined || frames.length !== first + 1) onMalformed(`${frames.length - first} frames instead of one`);
  else unpack(frame, onMessage, onMalformed);
};

const unpack = (
  frame: Buffer,
  onMessage: (head: Buffer, body: Buffer) => void,
  onMalformed: (why: Malformed) => void,
): void => {
  let at = 0;
  let count = 0;
  do {
    const headAt = at + lengthsBytes;
    const bodyAt = headAt <= frame.length ? headAt + frame.readUInt32BE(at) : Number.POSITIVE_INFINITY;
    const end = bodyAt <= frame.length ? bodyAt + frame.readUInt32BE(at + 4) : Number.POSITIVE_INFINITY;
    if (end > frame.length || count === maxBatch) {
      onMalformed(count === maxBatch ? `more than ${maxBatch} messages in a frame` : 'a frame that is cut off');
      return;
    }
    onMessage(frame.subarray(headAt, bodyAt), frame.subarray(bodyAt, end));
    at = end;
    count++;
  } while (at < frame.length);
};
