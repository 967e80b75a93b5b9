/**
 * Polls until the probe gives something truthy, and gives that; throws with `what` after the time-out. That is for what never comes:
 * it is long, because the suite's own daemons keep the machine busy. A probe that takes long (it starts a program) leaves the
 * machine to what it waits for, twice as long as it took.
 */
export const until = async <T>(
  probe: () => T | Promise<T>,
  what: string,
  timeoutMs = 60_000,
): Promise<NonNullable<T>> => {
  const endsAt = Date.now() + timeoutMs;
  for (;;) {
    const beganAt = performance.now();
    const value = await probe();
    if (value) return value;
    if (Date.now() > endsAt) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    const rest = Math.min(500, Math.max(10, 2 * (performance.now() - beganAt)));
    await new Promise((resolve) => setTimeout(resolve, rest));
  }
};
