import { TriggerdError } from '../domain/errors.ts';

const minuteMs = 60_000;
/** Between two looks for users whose allowance is whole again. */
const pruneEveryMs = minuteMs;

export interface Spending {
  readonly changes: number;
  readonly bytes: number;
}

interface Account extends Spending {
  /** Monotonic ms. */
  readonly at: number;
}

/**
 * How much each user may change in a minute. An allowance grows again all the time, up to a minute's worth. A change that is
 * larger than what is left is made, and the user waits until the debt is paid. Users are counted by identity: neither
 * another session nor another team gives a new allowance. Only an account that is whole again is forgotten, so nobody
 * gets a new one by making others.
 */
export class Allowances {
  readonly #perMinute: Spending;
  readonly #now: () => number;
  readonly #accounts = new Map<string, Account>();
  #prunedAt: number;

  /** `now`: monotonic ms. */
  constructor(perMinute: Spending, now: () => number) {
    this.#perMinute = perMinute;
    this.#now = now;
    this.#prunedAt = now();
  }

  /** Counts a change before it is tried: one that fails is counted, too. Throws `too-many-changes`. */
  spend(identity: string, { changes, bytes }: Spending): void {
    const now = this.#now();
    this.#prune(now);
    const account = this.#accountAt(identity, now);
    const waitMs = Math.max(
      msUntil(account.changes, changes, this.#perMinute.changes),
      msUntil(account.bytes, 1, this.#perMinute.bytes),
    );
    if (waitMs > 0) throw tooMany(waitMs);
    this.#accounts.set(identity, { changes: account.changes - changes, bytes: account.bytes - bytes, at: now });
  }

  #accountAt(identity: string, now: number): Account {
    const known = this.#accounts.get(identity);
    if (known === undefined) return { ...this.#perMinute, at: now };
    const share = (now - known.at) / minuteMs;
    return {
      changes: Math.min(this.#perMinute.changes, known.changes + share * this.#perMinute.changes),
      bytes: Math.min(this.#perMinute.bytes, known.bytes + share * this.#perMinute.bytes),
      at: now,
    };
  }

  #prune(now: number): void {
    if (now - this.#prunedAt < pruneEveryMs) return;
    this.#prunedAt = now;
    for (const identity of this.#accounts.keys()) {
      const { changes, bytes } = this.#accountAt(identity, now);
      if (changes >= this.#perMinute.changes && bytes >= this.#perMinute.bytes) this.#accounts.delete(identity);
    }
  }
}

const msUntil = (left: number, needed: number, perMinute: number): number =>
  left >= needed ? 0 : ((needed - left) / perMinute) * minuteMs;

const tooMany = (waitMs: number): TriggerdError => {
  const retry_after_ms = Math.ceil(waitMs);
  const seconds = Math.ceil(waitMs / 1_000);
  return new TriggerdError('too-many-changes', `you reached the limit of changes; try again in ${seconds} s`, {
    details: { retry_after_ms },
  });
};
