import { randomFillSync } from 'node:crypto';
import { ulid } from 'ulid';

const pool = Buffer.alloc(4_096);
let used = pool.length;

/** Bytes from a pool: asking the system for each of an id's characters takes longer than all the rest of a request. */
const random = (): number => {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const byte = pool[used] ?? 0;
  used += 1;
  return byte / 256;
};

/** A ULID that nobody can guess. */
export const newRequestId = (): string => ulid(undefined, random);
