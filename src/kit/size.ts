const unitBytes = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, KB: 1e3, MB: 1e6, GB: 1e9 } as const;
const sizePattern = /^(\d{1,12}) ?(B|[KMG]iB|[KMG]B)$/;

/** `65536`, `"64MiB"`, `"10MB"` → bytes; undefined when the value is not a size. */
export const parseSize = (value: unknown): number | undefined => {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  const match = typeof value === 'string' ? sizePattern.exec(value) : null;
  return match === null ? undefined : Number(match[1]) * unitBytes[match[2] as keyof typeof unitBytes];
};

/** Bytes → the shortest text that `parseSize` reads back: `67108864` → `64MiB`. */
export const formatSize = (bytes: number): string => {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const)
    if (bytes > 0 && bytes % unitBytes[unit] === 0) return `${bytes / unitBytes[unit]}${unit}`;
  return `${bytes}B`;
};
