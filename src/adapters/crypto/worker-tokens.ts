import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { WorkerTokens } from '../../registry/ports.ts';

/** 122 random bits: nobody guesses them, so a fast hash is enough. */
export const workerTokens: WorkerTokens = {
  create: () => {
    const token = randomUUID();
    return { token, hash: hashOfWorkerToken(token) };
  },
  fits: (token, hash) => {
    // As texts: a decoder would take more than one spelling.
    const stored = Buffer.from(hash);
    const presented = Buffer.from(hashOfWorkerToken(token));
    return stored.length === presented.length && timingSafeEqual(stored, presented);
  },
};

/** As the registry keeps it. */
export const hashOfWorkerToken = (token: string): string => createHash('sha256').update(token).digest('base64url');
