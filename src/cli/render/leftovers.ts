/** What a run has left behind, from an outcome's details. All of it is foreign: whatever is missing or odd is left out. */

interface FoundLeftovers {
  readonly isKilled: boolean;
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
  readonly total: number;
  readonly unit: string | null;
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const leftoversOf = (details: Readonly<Record<string, unknown>>): FoundLeftovers | null => {
  const { fate, processes, total, unit } = fieldsOf(details['leftovers']);
  const found = (Array.isArray(processes) ? processes : [])
    .map(fieldsOf)
    .flatMap(({ name, pid }) => (typeof name === 'string' && typeof pid === 'number' ? [{ name, pid }] : []));
  if (found.length === 0) return null;
  return {
    isKilled: fate === 'killed',
    processes: found,
    total: Math.max(found.length, typeof total === 'number' ? total : 0),
    unit: typeof unit === 'string' ? unit : null,
  };
};

/** For a line: `left running: java, sh`. Names that come twice are said once. */
export const leftoversNote = (details: Readonly<Record<string, unknown>>): string => {
  const found = leftoversOf(details);
  if (found === null) return '';
  const names = [...new Set(found.processes.map(({ name }) => name))];
  const more = found.total > found.processes.length ? ' …' : '';
  return `${found.isKilled ? 'leftovers killed' : 'left running'}: ${names.join(', ')}${more}`;
};

/** For a fact: `running: java (pid 4711) in triggerd-left-….scope`. */
export const leftoversFact = (details: Readonly<Record<string, unknown>>): string | null => {
  const found = leftoversOf(details);
  if (found === null) return null;
  const each = found.processes.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ');
  const more = found.total - found.processes.length;
  const where = found.unit === null ? '' : ` in ${found.unit}`;
  return `${found.isKilled ? 'killed' : 'running'}: ${each}${more > 0 ? ` and ${more} more` : ''}${where}`;
};
