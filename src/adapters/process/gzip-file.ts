import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

/** Bytes that are compressed together: more would compress hardly better. */
const blockBytes = 256 * 1024;

/**
 * A gzip file of members, one for each block: what was written is whole, also if we die before the end. Who reads along sees
 * a block when it is full, as with `gzip` itself. Throws when the file cannot be made.
 */
export const createGzipFile = (path: string) => {
  const fd = openSync(path, 'a', 0o600);
  let held: Buffer[] = [];
  let heldBytes = 0;

  /** False: the disk is full, and the block is lost. */
  const flush = (): boolean => {
    const member = gzipSync(Buffer.concat(held));
    held = [];
    heldBytes = 0;
    return wroteWhole(fd, member);
  };
  return {
    append: ({ bytes }: { readonly bytes: Buffer }): boolean => {
      // A copy: the chunk may be a slice of a buffer that is used again.
      held.push(Buffer.from(bytes));
      heldBytes += bytes.length;
      return heldBytes < blockBytes || flush();
    },
    /** An empty output is a gzip file, too. */
    close: (): void => {
      if (heldBytes > 0 || fstatSync(fd).size === 0) flush();
      closeSync(fd);
    },
  };
};

/** Half a member would make all of the file unreadable. */
const wroteWhole = (fd: number, member: Buffer): boolean => {
  const before = fstatSync(fd).size;
  try {
    for (let offset = 0; offset < member.length; ) offset += writeSync(fd, member, offset);
    return true;
  } catch {
    ftruncateSync(fd, before);
    return false;
  }
};
