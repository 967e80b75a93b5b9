/**
 * Polls until the probe gives something truthy, and gives that; throws with `what` after the time-out. That is for what never comes:
 * it is long, because the suite's own daemons keep the machine busy.
 */
export const until = async <T>(
  probe: () => T | Promise<T>,
  what: string,
  timeoutMs = 60_000,
): Promise<NonNullable<T>> => {
  const endsAt = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > endsAt) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
