/**
 * How much is held of requests that are not over. Nobody keeps the others out: not a user, not a user with all those that
 * come from them, not a team with all that come from it.
 */

import type { RequestHead } from '../bus/messages.ts';
import type { Caller } from '../domain/caller.ts';
import { TriggerdError } from '../domain/errors.ts';
import { maxHeldBytes } from './options.ts';
import { holderOf, type Request } from './request.ts';

/** Approximate size of a request without payload and arguments. */
const overheadBytes = 512;
/** Multiple of `max_requests` for all users who come from one team. */
const requestsOfTeam = 4;

interface Held {
  readonly requests: number;
  readonly bytes: number;
}

interface Share {
  readonly key: string;
  readonly who: string;
  /** Multiple of the requests that one user may have. */
  readonly requests: number;
  readonly bytes: number;
}

/** Counts payload, arguments and chain; the rest of a request is small and bounded. */
export const heldBytesOf = ({ args, chain }: Pick<RequestHead, 'args' | 'chain'>, payload: Buffer): number => {
  let bytes = overheadBytes + payload.length;
  // Two bytes a character, as a string may have them.
  for (const name in args) bytes += 2 * (name.length + (args[name] as string).length);
  for (const id of chain) bytes += 2 * id.length;
  return bytes;
};

export class RequestQuota {
  readonly #held = new Map<string, Held>();
  #bytes = 0;

  /** Throws `broker-busy`. `maxRequests`: of one user. */
  assertSpace(caller: Caller, bytes: number, maxRequests: number): void {
    for (const share of sharesOf(caller)) {
      const held = this.#held.get(share.key) ?? nothing;
      if (held.requests >= maxRequests * share.requests)
        throw busy(`${held.requests} requests of ${share.who} wait or run`);
      if (held.bytes > 0 && held.bytes + bytes > share.bytes)
        throw busy(`payloads of ${held.bytes} bytes of ${share.who} are held`);
    }
    if (this.#bytes + bytes > maxHeldBytes) throw busy(`payloads of ${this.#bytes} bytes are held`);
  }

  add(request: Request): void {
    this.#count(request, 1);
  }

  remove(request: Request): void {
    this.#count(request, -1);
  }

  #count(request: Request, change: 1 | -1): void {
    const { bytes } = request;
    for (const { key } of sharesOf(holderOf(request))) {
      const before = this.#held.get(key) ?? nothing;
      const held = { requests: before.requests + change, bytes: before.bytes + change * bytes };
      if (held.requests > 0) this.#held.set(key, held);
      else this.#held.delete(key);
    }
    this.#bytes += change * bytes;
  }
}

const sharesOf = ({ identity, team, origin }: Caller): readonly Share[] => [
  { key: `${identity}@${team}`, who: `${identity}@${team}`, requests: 1, bytes: maxHeldBytes / 4 },
  {
    key: `user ${origin.user}`,
    who: `${identity} and the users who come from the same one`,
    requests: 1,
    bytes: maxHeldBytes / 4,
  },
  {
    key: `team ${origin.team}`,
    who: `${identity} and the users who come from the same team`,
    requests: requestsOfTeam,
    bytes: maxHeldBytes / 2,
  },
];

const nothing: Held = { requests: 0, bytes: 0 };

export const busy = (message: string): TriggerdError =>
  new TriggerdError('broker-busy', message, { details: { retry_after_ms: 1_000 } });
