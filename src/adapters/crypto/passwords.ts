import { TriggerdError } from '../../domain/errors.ts';
import type { Passwords } from '../../registry/ports.ts';

/** Loaded when somebody logs in: an idle daemon that is no broker does without its memory. */
const argon2 = () => import('@node-rs/argon2');

/** argon2id as OWASP recommends it; about 30 ms of one core, in libuv's pool. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** The pool has four threads, which files need, too. */
const atOnce = 2;
/** More would wait longer than their clients do. */
const maxWaiting = 64;

/** Of a password that nobody has. */
const nobodysHash = '$argon2id$v=19$m=19456,t=2,p=1$dHJpZ2dlcmQtbm9ib2R5IQ$ZlPnXrrLNhK3zO6ZxgX6JKY1wvhvTnUuaaBQvNZ6hBo';

export const createPasswords = (): Passwords => {
  const inTurn = limiter();
  return {
    hash: (secret) => inTurn(async () => (await argon2()).hash(secret, cost)),
    verify: (stored, secret) => inTurn(() => fits(stored, secret)),
    pretend: (secret) =>
      inTurn(async (): Promise<false> => {
        await fits(nobodysHash, secret);
        return false;
      }),
  };
};

/** A stored text that is no hash fits nothing. */
const fits = async (stored: string, secret: string): Promise<boolean> => {
  const { verify } = await argon2();
  try {
    return await verify(stored, secret);
  } catch {
    return false;
  }
};

const limiter = () => {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= atOnce) {
      if (waiting.length >= maxWaiting)
        throw new TriggerdError('too-many-attempts', 'too many logins at the same time; try again in 1 s', {
          details: { retry_after_ms: 1_000 },
        });
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running++;
    try {
      return await work();
    } finally {
      // The place goes over to the next one as it is.
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
};
