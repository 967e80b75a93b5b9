/** Elapsed times as triggerFS printed them: `545.092072ms`, `1.5s`, `1m2.25s`. */

const units = [
  ['s', 1_000_000_000n, 9],
  ['ms', 1_000_000n, 6],
  ['µs', 1_000n, 3],
] as const;

/** Nanoseconds, not negative → the largest unit below a minute that fits, with every digit that is not a trailing zero. */
export const formatElapsed = (ns: bigint): string => {
  if (ns === 0n) return '0s';
  const found = units.find(([, size]) => ns >= size);
  if (found === undefined) return `${ns}ns`;
  const [unit, size, digits] = found;
  const fraction = (ns % size).toString().padStart(digits, '0').replace(/0+$/, '');
  const rest = fraction === '' ? '' : `.${fraction}`;
  const whole = ns / size;
  if (unit !== 's' || whole < 60n) return `${whole}${rest}${unit}`;
  const [hours, minutes, seconds] = [whole / 3600n, (whole / 60n) % 60n, whole % 60n];
  return `${hours > 0n ? `${hours}h` : ''}${minutes}m${seconds}${rest}s`;
};
