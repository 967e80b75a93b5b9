import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { WorkerTokens } from '../../registry/ports.ts';

/** 122 random bits: nobody guesses them, so a fast hash is enough. */
export const workerTokens: WorkerTokens = {
  create: () => {
    const token = randomUUID();
    return { token, hash: digest(token).toString('base64url') };
  },
  fits: (token, hash) => {
    const stored = Buffer.from(hash, 'base64url');
    const presented = digest(token);
    return stored.length === presented.length && timingSafeEqual(stored, presented);
  },
};

const digest = (token: string): Buffer => createHash('sha256').update(token).digest();
