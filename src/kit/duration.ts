const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof unitMs;

const wholePattern = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const partPattern = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** `10s`, `5m`, `1h30m`, `250ms`, `2d` → milliseconds; undefined when the text is not a duration. */
export const parseDuration = (text: string): number | undefined => {
  if (!wholePattern.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(partPattern)) total += Number(amount) * unitMs[unit as Unit];
  return Math.round(total);
};

/** Milliseconds → the shortest text that `parseDuration` reads back: `90000` → `1m30s`. */
export const formatDuration = (ms: number): string => {
  const parts: string[] = [];
  let rest = Math.round(ms);
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const amount = Math.floor(rest / unitMs[unit]);
    if (amount > 0) parts.push(`${amount}${unit}`);
    rest -= amount * unitMs[unit];
  }
  return parts.join('') || '0s';
};
