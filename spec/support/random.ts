/** Random numbers that can be had again: the seed is printed, and `FAULT_SEED` (or `SOAK_SEED`) repeats a run. */
export interface Random {
  readonly seed: number;
  /** 0 ≤ x < 1. */
  next(): number;
  /** low ≤ n < high, whole. */
  between(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
}

/** mulberry32: small, and the same everywhere. */
export const seeded = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low));
  return {
    seed,
    next,
    between,
    pick: (items) => {
      const item = items[between(0, items.length)];
      if (item === undefined) throw new Error('nothing to pick from');
      return item;
    },
  };
};

/** Says its seed, so that a failure can be repeated. */
export const announced = (what: string): Random => {
  const seed = Number(process.env['SOAK_SEED'] ?? process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stderr.write(`${what}: SOAK_SEED=${seed}\n`);
  return seeded(seed);
};
