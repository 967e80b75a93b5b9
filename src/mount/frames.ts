import type { Duplex } from 'node:stream';

/** A header and bytes, as they travel between the daemon and the process of its mount. Both are ours: no version, no schema. */
export interface Frame<Head> {
  readonly head: Head;
  readonly body: Buffer;
}

const prefixBytes = 8;

export const sendFrame = (stream: Duplex, head: object, body: Buffer = Buffer.alloc(0)): void => {
  const text = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32LE(text.length, 0);
  prefix.writeUInt32LE(body.length, 4);
  stream.cork();
  stream.write(prefix);
  stream.write(text);
  if (body.length > 0) stream.write(body);
  stream.uncork();
};

/** Every frame that comes, until the other side is gone. A stream that breaks has ended. */
export const readFrames = <Head>(stream: Duplex, onFrame: (frame: Frame<Head>) => void): void => {
  let chunks: Buffer[] = [];
  let have = 0;
  let need = prefixBytes;
  const takeAll = (): void => {
    let data = Buffer.concat(chunks);
    for (;;) {
      need = lengthOf(data);
      if (data.length < need) break;
      onFrame(frameOf<Head>(data.subarray(0, need)));
      data = data.subarray(need);
    }
    chunks = [data];
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
