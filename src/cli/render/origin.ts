/** Where a firing came from, in words. Origins are foreign documents: whatever is missing or odd is left out. */
type Origin = Readonly<Record<string, unknown>>;

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** `web01.example.com`, or `root@admin.example.com` for a person. */
export const shortOrigin = (origin: Origin): string => {
  const node = textOf(origin['node']) ?? '';
  const user = textOf(origin['user']);
  return user === null ? node : `${user}@${node}`;
};

/** `Puppet on web01.example.com, Trigger[refresh load balancers], environment production`. */
export const originInWords = (origin: Origin): string => {
  if (origin['kind'] !== 'puppet') return shortOrigin(origin);
  const environment = textOf(origin['environment']);
  return [
    `Puppet on ${shortOrigin(origin)}`,
    textOf(origin['resource']),
    environment === null ? null : `environment ${environment}`,
  ]
    .filter((part) => part !== null)
    .join(', ');
};

/** One line per resource that changed: `File[/etc/app.conf] (site.pp:42): content changed …`. */
export const causesOf = (origin: Origin): string[] => {
  const causes = Array.isArray(origin['causes']) ? (origin['causes'] as unknown[]) : [];
  const lines = causes.map((cause) => causeInWords(cause as Origin | null));
  const total = Number(origin['causes_total'] ?? 0);
  return total > lines.length ? [...lines, `and ${total - lines.length} more`] : lines;
};

const causeInWords = (cause: Origin | null): string => {
  const file = textOf(cause?.['file']);
  const place = file === null ? '' : ` (${file}:${String(cause?.['line'] ?? '?')})`;
  const message = textOf(cause?.['message']);
  return `${textOf(cause?.['resource']) ?? '?'}${place}${message === null ? '' : `: ${message}`}`;
};
