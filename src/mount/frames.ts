import type { Duplex } from 'node:stream';

/** A header and bytes, as they travel between the daemon and the process of its mount. Both are ours: no version, no schema. */
export interface Frame<Head> {
  readonly head: Head;
  readonly body: Buffer;
}

const prefixBytes = 8;
/** A frame up to here is copied into one piece: that costs less than a write of several. */
const smallBytes = 16_384;

/** `body` in parts. Frames of one turn of the event loop share a write: each wakes the other side up. */
export const sendFrame = (stream: Duplex, head: object, body: readonly Buffer[] = []): void => {
  const text = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32LE(text.length, 0);
  const bodyBytes = body.reduce((sum, { length }) => sum + length, 0);
  prefix.writeUInt32LE(bodyBytes, 4);
  const parts = [prefix, text, ...body];
  stream.cork();
  for (const part of bodyBytes <= smallBytes ? [Buffer.concat(parts)] : parts) stream.write(part);
  process.nextTick(() => stream.uncork());
};

/** Every frame that comes, until the other side is gone. A stream that breaks has ended. */
export const readFrames = <Head>(stream: Duplex, onFrame: (frame: Frame<Head>) => void): void => {
  let chunks: Buffer[] = [];
  let have = 0;
  let need = prefixBytes;
  const takeAll = (): void => {
    let data = onlyOf(chunks) ?? Buffer.concat(chunks);
    for (;;) {
      need = lengthOf(data);
      if (data.length < need) break;
      onFrame(frameOf<Head>(data.subarray(0, need)));
      data = data.subarray(need);
    }
    chunks = data.length === 0 ? [] : [data];
    have = data.length;
  };
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    have += chunk.length;
    if (have >= need) takeAll();
  });
};

const lengthOf = (data: Buffer): number =>
  data.length < prefixBytes ? prefixBytes : prefixBytes + data.readUInt32LE(0) + data.readUInt32LE(4);

const frameOf = <Head>(data: Buffer): Frame<Head> => {
  const bodyAt = prefixBytes + data.readUInt32LE(0);
  return { head: JSON.parse(data.toString('utf8', prefixBytes, bodyAt)) as Head, body: data.subarray(bodyAt) };
};

const onlyOf = ([first, ...others]: readonly Buffer[]): Buffer | undefined => (others.length === 0 ? first : undefined);
