export interface ByteRate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Bytes that may be written: a burst at once, and so many a second. It may be overdrawn; then it is owed until the time is over. */
export class ByteBudget {
  readonly #rate: ByteRate;
  readonly #now: () => number;
  #left: number;
  #at: number;

  /** `now`: monotonic ms. */
  constructor(rate: ByteRate, now: () => number) {
    this.#rate = rate;
    this.#now = now;
    this.#left = rate.burst;
    this.#at = now();
  }

  get isWhole(): boolean {
    this.#grow();
    return this.#left >= this.#rate.burst;
  }

  spend(bytes: number): void {
    this.#grow();
    this.#left -= bytes;
  }

  /** How long until nothing is owed. ms. */
  owedMs(): number {
    this.#grow();
    return Math.max(0, (-this.#left / this.#rate.perSecond) * 1_000);
  }

  #grow(): void {
    const now = this.#now();
    this.#left = Math.min(this.#rate.burst, this.#left + ((now - this.#at) / 1_000) * this.#rate.perSecond);
    this.#at = now;
  }
}

/** Between two looks for users whose budget is whole again. ms. */
const pruneEveryMs = 60_000;

/** A budget for each user. Only one that is whole again is forgotten. */
export class UserBudgets {
  readonly #rate: ByteRate;
  readonly #now: () => number;
  readonly #budgets = new Map<string, ByteBudget>();
  #prunedAt: number;

  constructor(rate: ByteRate, now: () => number) {
    this.#rate = rate;
    this.#now = now;
    this.#prunedAt = now();
  }

  /** False: this user owes; nothing is counted. */
  spend(user: string, bytes: number): boolean {
    this.#prune();
    const budget = this.#budgets.get(user) ?? new ByteBudget(this.#rate, this.#now);
    if (budget.owedMs() > 0) return false;
    budget.spend(bytes);
    this.#budgets.set(user, budget);
    return true;
  }

  #prune(): void {
    const now = this.#now();
    if (now - this.#prunedAt < pruneEveryMs) return;
    this.#prunedAt = now;
    for (const [user, budget] of this.#budgets) if (budget.isWhole) this.#budgets.delete(user);
  }
}
