/** Enough to hide etcd's answer times, few enough to leave room for others. */
const windowSize = 8;

/** Does `work` on every item, some at a time; the results are in the order of the items. */
export const inWindows = async <T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  size: number = windowSize,
): Promise<R[]> => {
  const results: R[] = [];
  for (const window of chunksOf(items, size)) results.push(...(await Promise.all(window.map(work))));
  return results;
};

export const chunksOf = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
